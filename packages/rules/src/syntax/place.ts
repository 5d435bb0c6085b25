import { ConfigurationError, addressType, canonicalHost } from '@it-socks/protocol'
import { comparable, isBelow, isWithin } from '../host-name.ts'
import { contains, startOf, toNetwork, type Ip } from '../network.ts'
import { isLoopbackIp, isPrivateIp } from '../private-networks.ts'
import type { Truth } from '../truth.ts'
import { show } from './words.ts'

/** One end of an attempt, as much of it as is known. */
export interface End {
  /** Its IP address, and what else that is to be taken for. */
  readonly ips?: readonly Ip[]
  /** Its name, comparable. */
  readonly name?: string
  /** Whether it is this machine, whatever its address. */
  readonly isHere: boolean
}

/** What goes behind `from` and `to`. */
export interface Place {
  readonly text: string
  readonly has: (end: End) => Truth
}

const where = (text: string, test: (ip: Ip) => boolean): Place => ({ text, has: ({ ips }) => ips?.some(test) })

const orHere = ({ text, has }: Place): Place => ({ text, has: (end) => end.isHere || has(end) })

const anywhere: Place = { text: 'anywhere', has: () => true }
const loopback = orHere(where('loopback', isLoopbackIp))

const words: ReadonlyMap<string, Place> = new Map([
  ['anywhere', anywhere],
  ['loopback', loopback],
  ['localhost', loopback],
  ['private', orHere(where('private', isPrivateIp))]
])

/**
 * Reads what goes behind `from`: a client is known by its address.
 *
 * @throws {ConfigurationError} for what is no place, or a name
 */
export const readOrigin = (text: string): Place => {
  const place = addressPlace(text)
  if (place === undefined) {
    throw wrong(text, 'behind "from" goes an IP address, a network (10.0.0.0/8), loopback, private or anywhere')
  }
  return place
}

/** Reads what goes behind `to`. @throws {ConfigurationError} for what is no place */
export const readDestination = (text: string): Place => addressPlace(text) ?? domainPlace(text)

const addressPlace = (text: string): Place | undefined => {
  if (text.includes('/')) return networkPlace(text)
  const { host, port } = /^(?<host>\[.*\]|[^:]+):(?<port>\d*)$/s.exec(text)?.groups ?? {}
  if (host !== undefined)
    throw wrong(text, `the port goes into a part of its own, as in ${show(`to ${host} port ${port}`)}`)
  const ip = canonicalHost(text)
  if (addressType(ip) !== 'domain') return within(withoutZone(text, `${ip}/${ip.includes(':') ? 128 : 32}`))
  if (text.includes(':')) throw wrong(text, 'it is no IPv6 address')
  return words.get(text.toLowerCase())
}

const networkPlace = (text: string): Place => {
  const { host = '', bits = '' } = /^(?<host>[^/]*)\/(?<bits>.*)$/s.exec(text)?.groups ?? {}
  const type = addressType(host)
  if (type === 'domain') throw wrong(text, 'before the slash goes a whole IP address, as in 10.0.0.0/8')
  const most = type === 'ipv4' ? 32 : 128
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) {
    throw wrong(text, `behind the slash goes how many bits of the address count, 0 to ${most}`)
  }
  return within(withoutZone(text, text))
}

const within = (cidr: string): Place => {
  const network = toNetwork(cidr)
  const start = startOf(network).toString()
  if (start !== network.base.toString()) {
    throw wrong(cidr, `the network starts at ${start}: write ${start}/${network.length}, or the address alone`)
  }
  const whole = network.length === network.base.toByteArray().length * 8
  return where(whole ? start : `${start}/${network.length}`, (ip) => contains(network, ip))
}

const withoutZone = (text: string, cidr: string): string => {
  if (text.includes('%')) throw wrong(text, 'a zone means something on one machine only: leave it out')
  return cidr
}

/** `example.com` is that name and all below it, `*.example.com` only those below; a name of one label ends with a dot. */
const domainPlace = (text: string): Place => {
  const { star, rest = '' } = /^(?<star>\*?\.)?(?<rest>.*)$/s.exec(text)?.groups ?? {}
  const domain = comparable(rest)
  const labels = domain.split('.')
  if (domain.length > 253 || !labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label))) {
    throw wrong(text, 'it is neither an address nor a name')
  }
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1)!)) {
    throw wrong(text, 'it is no name, for it ends with a number, and no IPv4 address, for that has four, 0 to 255')
  }
  const oneLabel = labels.length === 1 && star === undefined
  if (oneLabel && !rest.endsWith('.')) {
    throw wrong(text, `it is none of anywhere, loopback and private; a name without a dot is written "${domain}."`)
  }
  const test = star === undefined ? isWithin : isBelow
  return {
    text: `${star === undefined ? '' : '*.'}${domain}${oneLabel ? '.' : ''}`,
    has: ({ name, ips }) => (name === undefined ? (ips === undefined ? undefined : false) : test(name, domain))
  }
}

const wrong = (text: string, why: string): ConfigurationError => new ConfigurationError(`${show(text)}: ${why}`)

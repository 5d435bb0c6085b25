import ipaddr from 'ipaddr.js'
import { InvalidAddressError } from './errors.ts'

/**
 * A place on the network. `host` is an IPv4 address, an IPv6 address (no brackets) or a domain: {@link addressType}
 * tells which. `port` is 0 to 65535.
 */
export interface Address {
  readonly host: string
  readonly port: number
}

/** How SOCKS carries a host (ATYP, RFC 1928 section 5). */
export type AddressType = 'ipv4' | 'ipv6' | 'domain'

/** 0.0.0.0:0, which SOCKS uses to say "no address" (RFC 1928 section 6). */
export const unspecified: Address = { host: '0.0.0.0', port: 0 }

// ZoneID of RFC 6874, so that `br-lan` and `eth0.100` are zones too: ipaddr.js knows letters and digits only.
const zone = /(?<=^[^%]*)%[\w.~-]+$/
const withoutZone = (host: string): string => host.replace(zone, '')

// Every host of every datagram is looked at: what ipaddr.js throws and catches for one that is no IPv4 costs 20 µs.
const octet = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
const dottedDecimal = new RegExp(String.raw`^${octet}(?:\.${octet}){3}$`)

/**
 * What kind of host a string is. Only dotted decimal counts as IPv4: `127.1` or `0x7f000001` are domains.
 *
 * @example
 *
 * ```ts
 * import { addressType } from '@it-socks/protocol'
 *
 * addressType('192.0.2.1') // => 'ipv4'
 * addressType('fe80::1%eth0') // => 'ipv6'
 * addressType('example.com') // => 'domain'
 * ```
 */
export const addressType = (host: string): AddressType => {
  if (dottedDecimal.test(host)) return 'ipv4'
  if (host.includes(':') && ipaddr.IPv6.isValid(withoutZone(host))) return 'ipv6'
  return 'domain'
}

/**
 * The 4 or 16 bytes of an IP address, in network order. An IPv6 zone (`%eth0`) means something on one machine only and
 * is left out.
 *
 * @throws {InvalidAddressError} for a domain
 */
export const ipToBytes = (host: string): Uint8Array => {
  const type = addressType(host)
  if (type === 'ipv4') return writeDotted(host, new Uint8Array(4), 0)
  if (type === 'domain') throw new InvalidAddressError(`${host} is not an IP address`)
  return Uint8Array.from(ipaddr.parse(withoutZone(host)).toByteArray())
}

const dot = 0x2e

/** Writes an IPv4 address at some place of `bytes`, which are zero there. */
export const writeDotted = <Bytes extends Uint8Array | number[]>(host: string, bytes: Bytes, start: number): Bytes => {
  let at = start
  for (let index = 0; index < host.length; index++) {
    const code = host.charCodeAt(index)
    if (code === dot) at += 1
    else bytes[at] = bytes[at]! * 10 + (code & 0xf)
  }
  return bytes
}

/**
 * The IP address that 4 or 16 bytes spell, IPv6 in the short form of RFC 5952.
 *
 * @throws {InvalidAddressError} for any other number of bytes
 */
export const ipFromBytes = (bytes: Uint8Array): string => {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new InvalidAddressError(`an IP address has 4 or 16 bytes, not ${bytes.length}`)
  }
  return bytes.length === 4
    ? `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
    : ipaddr.fromByteArray([...bytes]).toString()
}

/** The IPv4 address that a number of 32 bits spells, high byte first. */
export const ipv4FromNumber = (ip: number): string =>
  `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`

/**
 * The one way to write a host: IPv6 shortened (RFC 5952) and without brackets, IPv4 that came mapped into IPv6
 * (`::ffff:192.0.2.1`, what a dual-stack socket reports) as IPv4; domains as they are.
 */
export const canonicalHost = (host: string): string => {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  const type = addressType(bare)
  if (type !== 'ipv6') return type === 'ipv4' ? bare : host
  const ip = ipaddr.process(withoutZone(bare))
  return ip.kind() === 'ipv4' ? ip.toString() : `${ip.toString()}${zone.exec(bare)?.[0] ?? ''}`
}

/**
 * Whether a host can only be this machine: 127.0.0.0/8, ::1 or `localhost`.
 *
 * @example
 *
 * ```ts
 * import { isLoopback } from '@it-socks/protocol'
 *
 * isLoopback('127.0.0.53') // => true
 * isLoopback('0.0.0.0') // => false
 * ```
 */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || (addressType(host) !== 'domain' && ipaddr.process(withoutZone(host)).range() === 'loopback')

const checkPort = (port: number, text: string): number => {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new InvalidAddressError(`${text}: a port is a whole number from 0 to 65535`)
  }
  return port
}

/**
 * Reads `host:port`, with IPv6 in brackets.
 *
 * @throws {InvalidAddressError} where host or port is missing or cannot be one
 *
 * @example
 *
 * ```ts
 * import { parseAddress } from '@it-socks/protocol'
 *
 * parseAddress('[2001:db8::1]:443') // => { host: '2001:db8::1', port: 443 }
 * parseAddress('example.com:80') // => { host: 'example.com', port: 80 }
 * ```
 */
export const parseAddress = (text: string): Address => {
  const match = /^(?:\[(?<ipv6>[^\]]+)\]|(?<name>[^:[\]\s]+)):(?<port>\d{1,5})$/.exec(text)?.groups
  if (match === undefined) throw new InvalidAddressError(`${text} is not host:port (IPv6 goes in brackets)`)
  const { ipv6, name, port } = match
  if (ipv6 !== undefined && addressType(ipv6) !== 'ipv6')
    throw new InvalidAddressError(`${ipv6} is not an IPv6 address`)
  return { host: canonicalHost(ipv6 ?? name!), port: checkPort(Number(port), text) }
}

/**
 * Writes `host:port`, with IPv6 in brackets.
 *
 * @example
 *
 * ```ts
 * import { formatAddress } from '@it-socks/protocol'
 *
 * formatAddress({ host: '2001:db8::1', port: 443 }) // => '[2001:db8::1]:443'
 * ```
 */
export const formatAddress = ({ host, port }: Address): string =>
  addressType(host) === 'ipv6' ? `[${host}]:${port}` : `${host}:${port}`

/** The two bytes of a port. @throws {InvalidAddressError} for what is no port */
export const portToBytes = (port: number): readonly [number, number] => {
  checkPort(port, `port ${port}`)
  return [port >> 8, port & 0xff]
}

/** The port that two bytes spell, high byte first. */
export const portFromBytes = (bytes: Uint8Array): number => (bytes[0]! << 8) | bytes[1]!

import { addressType, ipToBytes } from '@it-socks/protocol'
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js'

export type Ip = IPv4 | IPv6

/** An IP address and how many bits of it count. */
export interface Network {
  readonly base: Ip
  readonly length: number
}

/** The 64 things that were made last: each rule asks for the addresses of an attempt anew, and datagrams come by the thousand. */
const recently = <Value>(make: (host: string) => Value): ((host: string) => Value) => {
  const lately = new Map<string, Value>()
  return (host) => {
    const known = lately.get(host)
    if (known !== undefined || lately.has(host)) return known as Value
    const value = make(host)
    if (lately.size === most) lately.clear()
    lately.set(host, value)
    return value
  }
}
const most = 64

const parse = (host: string): Ip | undefined => {
  if (addressType(host) === 'domain') return undefined
  const ip = read(host)
  return isMapped(ip) ? ip.toIPv4Address() : ip
}

/** Reads an IP address, without its zone, and one that is mapped into IPv6 as what it is; `undefined` for a domain. */
export const toIp: (host: string) => Ip | undefined = recently(parse)

/** Reads the network `address/length`, and one that is mapped into IPv6 as what it is. */
export const toNetwork = (cidr: string): Network => {
  const [host = '', bits] = cidr.split('/')
  const base = read(host)
  const length = Number(bits)
  return isMapped(base) && length >= mappedPrefix
    ? { base: base.toIPv4Address(), length: length - mappedPrefix }
    : { base, length }
}

/** The first address of a network. */
export const startOf = ({ base, length }: Network): Ip =>
  ipaddr.fromByteArray(
    base.toByteArray().map((byte, index) => byte & ~(0xff >> Math.min(8, Math.max(0, length - index * 8))))
  )

export const contains = ({ base, length }: Network, ip: Ip): boolean =>
  base.kind() === ip.kind() && ip.match(base, length)

const read = (host: string): Ip => ipaddr.fromByteArray([...ipToBytes(host)])

/** IPv4 that came as IPv6, `::ffff:192.0.2.1`: a dual-stack socket takes it for the one in it. */
const isMapped = (ip: Ip): ip is IPv6 => ip.kind() === 'ipv6' && (ip as IPv6).isIPv4MappedAddress()
const mappedPrefix = 96

interface Embedding extends Network {
  /** Where the IPv4 address starts. */
  readonly offset: number
  readonly inverted?: boolean
}

/** IPv6 addresses that gateways, or the system itself, may take for the IPv4 address in them. */
const embeddings: readonly Embedding[] = [
  // IPv4-compatible, RFC 4291 section 2.5.5.1: all but `::` and `::1`
  { ...toNetwork('::/96'), offset: 12 },
  // IPv4-translated, RFC 2765 section 2.1
  { ...toNetwork('::ffff:0:0:0/96'), offset: 12 },
  // NAT64, RFC 6052 section 2.1
  { ...toNetwork('64:ff9b::/96'), offset: 12 },
  // Teredo, RFC 4380 section 4: the client's address, every bit inverted
  { ...toNetwork('2001::/32'), offset: 12, inverted: true },
  // 6to4, RFC 3056 section 2
  { ...toNetwork('2002::/16'), offset: 2 }
]

const notCompatible = toNetwork('::/127')

/** An IP address, and the IPv4 address in it where there may be one. */
export const withEmbedded = (ip: Ip): readonly Ip[] => {
  const form = embeddings.find((embedding) => contains(embedding, ip))
  if (form === undefined || contains(notCompatible, ip)) return [ip]
  const bytes = ip.toByteArray().slice(form.offset, form.offset + 4)
  return [ip, ipaddr.fromByteArray(form.inverted === true ? bytes.map((byte) => byte ^ 0xff) : bytes)]
}

/** What an IP address leads to, in words: itself, and the IPv4 address in it where there may be one; none for a domain. */
export const hostsOf: (host: string) => readonly string[] = recently((host) => {
  const ip = toIp(host)
  return ip === undefined ? [] : withEmbedded(ip).map(String)
})

import { UnresolvableError, addressType, canonicalHost, ipToBytes } from '@it-socks/protocol'
import { abortable, never, onAbort, type ReverseResolve } from '@it-socks/stage'
import { dnsServers, type DnsServersOptions } from './dns-servers.ts'
import { named } from './names.ts'

/**
 * Finds names of IP addresses by asking these DNS servers for PTR records, the first of which counts. The system's settings
 * and hosts file have no say.
 *
 * The promise rejects with an `UnresolvableError`, whose `cause` is the resolver's error, for an address without a name
 * and for what is not an address.
 *
 * @throws {ConfigurationError} for a server that is no IP address, or without one
 *
 * @example
 *
 * ```ts
 * import { dnsReverse } from '@it-socks/net'
 *
 * const reverse = dnsReverse({ servers: ['192.0.2.53'] })
 * const nameOf = (ip: string) => reverse(ip, { signal: AbortSignal.timeout(5000) })
 * ```
 */
export const dnsReverse = (options: DnsServersOptions): ReverseResolve => {
  const open = dnsServers(options)
  return async (host, { signal = never } = {}) => {
    signal.throwIfAborted()
    const ip = canonicalHost(host)
    if (addressType(ip) === 'domain') throw new UnresolvableError(host)
    const resolver = open()
    const release = onAbort(signal, () => resolver.cancel())
    const [name] = await abortable(named(ip, resolver.resolvePtr(pointerOf(ip))), signal).finally(release)
    if (name === undefined) throw new UnresolvableError(ip)
    return name
  }
}

/** The name at which the name of an IP address is found (RFC 1035 section 3.5, RFC 3596 section 2.5). */
const pointerOf = (ip: string): string => {
  const bytes = [...ipToBytes(ip)].toReversed()
  if (bytes.length === 4) return `${bytes.join('.')}.in-addr.arpa`
  const digits = bytes.flatMap((byte) => [byte & 0xf, byte >> 4]).map((digit) => digit.toString(16))
  return `${digits.join('.')}.ip6.arpa`
}

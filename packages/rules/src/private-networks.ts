import { isLocalhost } from './host-name.ts'
import { contains, toIp, toNetwork, withEmbedded, type Ip, type Network } from './network.ts'
import type { Rule } from './rule.ts'

/** What leads to this machine: 0.0.0.0 and `::` do, to most systems. */
const loopback: readonly Network[] = ['127.0.0.0/8', '0.0.0.0/32', '::1/128', '::/128'].map(toNetwork)

const networks: readonly Network[] = [
  ...loopback,
  // This network, RFC 791 section 3.2
  '0.0.0.0/8',
  // Private, RFC 1918
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  // Carrier-grade NAT, RFC 6598
  '100.64.0.0/10',
  // Link-local, RFC 3927 and RFC 4291: cloud providers have their metadata there
  '169.254.0.0/16',
  'fe80::/10',
  // Protocol assignments, RFC 6890, DS-Lite among them
  '192.0.0.0/24',
  // Benchmarking, RFC 2544
  '198.18.0.0/15',
  // Multicast: whatever else it is, it is the local network
  '224.0.0.0/4',
  'ff00::/8',
  // Reserved, RFC 1112, in private use here and there; the broadcast address
  '240.0.0.0/4',
  // NAT64 for local use, RFC 8215: where in it the IPv4 address is, only its network knows
  '64:ff9b:1::/48',
  // Unique-local, RFC 4193, and what came before, site-local, RFC 3879
  'fc00::/7',
  'fec0::/10'
].map((network) => (typeof network === 'string' ? toNetwork(network) : network))

/** Whether this IP address leads to the machine that dials it. What may be embedded in it does not count. */
export const isLoopbackIp = (ip: Ip): boolean => loopback.some((network) => contains(network, ip))

/** Whether this IP address is for use in a private network. What may be embedded in it does not count. */
export const isPrivateIp = (ip: Ip): boolean => networks.some((network) => contains(network, ip))

/**
 * Whether a host is reachable only from this machine or the networks around it: loopback, unspecified, link-local,
 * private (RFC 1918), unique-local, site-local, carrier-grade NAT, multicast, broadcast, reserved and benchmarking
 * addresses; and such IPv4 addresses in IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo. A zone (`%eth0`)
 * does not matter. Of names, only `localhost` and those below it are known to be.
 *
 * Networks for documentation (192.0.2.0/24, 2001:db8::/32 …) are not private: they lead nowhere.
 *
 * @example
 *
 * ```ts
 * import { isPrivate } from '@it-socks/rules'
 *
 * isPrivate('192.168.1.1') // => true
 * isPrivate('64:ff9b::192.168.1.1') // => true
 * isPrivate('8.8.8.8') // => false
 * isPrivate('localhost.') // => true
 * isPrivate('router.example') // => false
 * ```
 */
export const isPrivate = (host: string): boolean => {
  const ip = toIp(host)
  return ip === undefined ? isLocalhost(host) : withEmbedded(ip).some(isPrivateIp)
}

/**
 * Denies clients that are not on loopback every destination that {@link isPrivate}: by its name if that says so, else by
 * its address. Clients without an address are on loopback. Put it before rules that allow names or users: they would
 * allow whatever a name resolves to.
 *
 * @example
 *
 * ```ts
 * import { judge, privateNetworks } from '@it-socks/rules'
 *
 * const attempt = { command: 'connect', identity: { method: 'none' }, ip: '10.0.0.1' } as const
 *
 * judge([privateNetworks], { ...attempt, client: { host: '192.0.2.1', port: 1 } }).verdict // => 'deny'
 * judge([privateNetworks], { ...attempt, client: { host: '127.0.0.1', port: 1 } }).verdict // => 'allow'
 * ```
 */
export const privateNetworks: Rule = {
  name: 'private networks are for clients on loopback',
  verdict: 'deny',
  matches: ({ client, destination, ip }) => {
    if (client === undefined || isOnLoopback(client.host)) return false
    if (destination !== undefined && isLocalhost(destination.host)) return true
    const address = ip === undefined ? undefined : toIp(ip)
    return address === undefined ? undefined : withEmbedded(address).some(isPrivateIp)
  }
}

const isOnLoopback = (host: string): boolean => {
  const ip = toIp(host)
  return ip !== undefined && isLoopbackIp(ip)
}

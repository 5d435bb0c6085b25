import { parseAddress, type Address } from '@it-socks/protocol'
import { withAddresses, type DialOptions, type Tunnel } from '@it-socks/stage'
import { candidatesOf } from './candidates.ts'
import { inTime, type Entrance, type ThroughOptions } from './enter.ts'
import { firstGranted } from './first-granted.ts'
import { settle } from './proxy.ts'

export interface ConnectOptions extends ThroughOptions {
  /** Where to go: `host:port`, IPv6 in brackets, or an object. */
  destination: string | Address
  /**
   * Asked about each IP address before the proxy is asked for it: the destination's, and those of a name that is resolved
   * here; throws where that one must not be. A name that the proxy resolves nobody judges here. Default: all are permitted.
   */
  permit?: DialOptions['permit']
}

/**
 * Connects to a destination through a SOCKS proxy (CONNECT, RFC 1928 section 4, and SOCKS4). The tunnel has every byte
 * that came glued to the proxy's reply; its `localAddress` is BND.ADDR and BND.PORT, its `remoteAddress` the destination.
 *
 * Where names are resolved here, all addresses of the name are tried in the manner of RFC 8305, each through a connection
 * to the proxy of its own, for as long as the proxy refuses for what the address is.
 *
 * The promise rejects
 * - with a `ProxyUnreachableError` where the proxy cannot be reached, a `ProxyClosedError` where it hangs up,
 * - with a `NoAcceptableMethodError` or an `AuthenticationError` where it does not let us in,
 * - with a `RefusedError` where it does not let us, or cannot, reach the destination: `reply` says which,
 * - with an `UnresolvableError` where a name that is to be resolved here has no address,
 * - with a `MalformedError` where it does not speak our version of SOCKS,
 * - with a `DeadlineError` after `timeout`, with the signal's reason, with a `ConfigurationError`.
 *
 * `signal` gives up connecting. Once connected it does nothing: abort the tunnel.
 *
 * @example
 *
 * ```ts
 * import { connect } from '@it-socks/client'
 *
 * const open = () => connect({ proxy: 'socks5h://127.0.0.1:1080', destination: 'example.com:80' })
 * ```
 */
export const connect = async ({ proxy, destination, permit, ...options }: ConnectOptions): Promise<Tunnel> => {
  const settings = settle(proxy)
  const target = typeof destination === 'string' ? parseAddress(destination) : destination
  return inTime(options, settings, 'connecting through the proxy', async (enter, signal) => {
    const hosts = await candidatesOf(target.host, settings, { signal, ...(permit && { permit }) })
    const ask = (host: string, signal: AbortSignal): Promise<Entrance> =>
      enter(settings.dialect.ask({ command: 'connect', destination: { host, port: target.port } }), signal)
    const { bound, duplex } = await firstGranted(hosts, ask, signal)
    return withAddresses(duplex, { localAddress: bound, remoteAddress: target })
  })
}

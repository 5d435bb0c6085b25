import { login } from '@it-socks/auth'
import { ask } from '@it-socks/command'
import { addressesOf, dial as direct } from '@it-socks/net'
import { DeadlineError, ProxyUnreachableError, formatAddress, parseAddress, type Address } from '@it-socks/protocol'
import {
  compose,
  frames,
  handshake,
  limitTime,
  never,
  pipe,
  type Dial,
  type Resolve,
  type Tunnel
} from '@it-socks/stage'
import { settle, type Proxy } from './proxy.ts'

export interface ConnectOptions {
  /** The proxy: a URL (see `parseProxy`) or an object. */
  proxy: string | URL | Proxy
  /** Where to go: `host:port`, IPv6 in brackets, or an object. */
  destination: string | Address
  /** Gives up connecting. Once connected it does nothing: abort the tunnel. */
  signal?: AbortSignal
  /** How long it may take, in milliseconds. Default: 30,000. */
  timeout?: number
  /** How the proxy itself is reached. Default: `dial()`, directly. */
  dial?: Dial
}

/**
 * Connects to a destination through a SOCKS5 proxy (RFC 1928 CONNECT). The tunnel has every byte that came glued to the
 * proxy's reply; its `localAddress` is BND.ADDR and BND.PORT, its `remoteAddress` the destination.
 *
 * The promise rejects
 * - with a `ProxyUnreachableError` where the proxy cannot be reached, a `ProxyClosedError` where it hangs up,
 * - with a `NoAcceptableMethodError` or an `AuthenticationError` where it does not let us in,
 * - with a `RefusedError` where it does not let us, or cannot, reach the destination: `reply` says which,
 * - with an `UnresolvableError` where a name that is to be resolved here has no address,
 * - with a `MalformedError` where it does not speak SOCKS5,
 * - with a `DeadlineError` after `timeout`, with the signal's reason, with a `ConfigurationError`.
 *
 * @example
 *
 * ```ts
 * import { connect } from '@it-socks/client'
 *
 * const open = () => connect({ proxy: 'socks5h://127.0.0.1:1080', destination: 'example.com:80' })
 * ```
 */
export const connect = async ({
  proxy,
  destination,
  signal = never,
  timeout = 30_000,
  dial = direct()
}: ConnectOptions): Promise<Tunnel> => {
  const settings = settle(proxy)
  const target = typeof destination === 'string' ? parseAddress(destination) : destination
  const limit = limitTime(signal, timeout, () => new DeadlineError('connecting through the proxy', timeout))
  try {
    const requested = await resolved(target, settings.resolve, limit.signal)
    const enter = compose(login(settings.methods), ask({ command: 'connect', destination: requested }))
    const connection = await reach(settings.address, dial, limit.signal)
    const { context, duplex } = await pipe(
      connection,
      frames({ signal: limit.signal }),
      enter,
      handshake(connection, { linger: 0 })
    )
    return { ...duplex, localAddress: context.bound, remoteAddress: target }
  } finally {
    limit.stop()
  }
}

const resolved = async (target: Address, resolve: Resolve | undefined, signal: AbortSignal): Promise<Address> => {
  if (resolve === undefined) return target
  const [host] = await addressesOf(resolve, target.host, { signal })
  return { host, port: target.port }
}

const reach = async (proxy: Address, dial: Dial, signal: AbortSignal): Promise<Tunnel> => {
  try {
    return await dial(proxy, { signal })
  } catch (cause) {
    throw signal.aborted ? signal.reason : new ProxyUnreachableError(formatAddress(proxy), { cause })
  }
}

/** A `Dial` through a proxy: gives a server, or another `connect`, its way out. */
export const dialThrough =
  (options: Omit<ConnectOptions, 'destination' | 'signal'>): Dial =>
  (destination, { signal = never } = {}) =>
    connect({ ...options, destination, signal })

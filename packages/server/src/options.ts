import { authenticate, none, type ServerMethod } from '@it-socks/auth'
import { dial, type Endpoint } from '@it-socks/net'
import { ConfigurationError, formatAddress, isLoopback } from '@it-socks/protocol'
import type { Authenticated, Dial, Stage } from '@it-socks/stage'

export interface ServerOptions {
  /** Where to listen. Default: 127.0.0.1:1080. */
  listen?: Endpoint | readonly Endpoint[]
  /** Authentication methods in order of preference. Default: `[none()]`. */
  methods?: readonly ServerMethod[]
  /** Serves everybody on addresses that are not loopback: an open proxy. Default: false. */
  allowAnonymous?: boolean
  /** How targets are reached. Default: `dial()`, directly. */
  dial?: Dial
  /** How many clients may be connected at a time; more are reset. Default: as many as the system allows. */
  maxConnections?: number
  /** How long a client may take from connecting to the end of its request, in milliseconds. Default: 10,000. */
  handshakeTimeout?: number
  /**
   * How long it may take to reach a target, in milliseconds, whatever the `dial`. The client is then told "TTL expired".
   * Default: 30,000.
   */
  connectTimeout?: number
  /** How long nothing may go either way through a relay, in milliseconds. Default: 300,000. */
  idleTimeout?: number
}

/** Options with every default filled in. */
export interface Settings extends Required<Omit<ServerOptions, 'listen' | 'methods' | 'allowAnonymous'>> {
  readonly endpoints: readonly Endpoint[]
  readonly authentication: Stage<unknown, Authenticated>
}

const anonymous = 0x00

/** @throws {ConfigurationError} for an open proxy that nobody asked for by name, nowhere to listen, no methods … */
export const settle = ({
  listen = { host: '127.0.0.1', port: 1080 },
  methods = [none()],
  allowAnonymous = false,
  dial: dialTarget = dial({ timeout: Infinity }),
  maxConnections = Infinity,
  handshakeTimeout = 10_000,
  connectTimeout = 30_000,
  idleTimeout = 300_000
}: ServerOptions): Settings => {
  const endpoints = [listen].flat()
  if (endpoints.length === 0) throw new ConfigurationError('a server needs somewhere to listen')
  const open = endpoints.find((endpoint) => 'host' in endpoint && !isLoopback(endpoint.host))
  if (open !== undefined && !allowAnonymous && methods.some(({ id }) => id === anonymous)) {
    throw new ConfigurationError(
      `${describeEndpoint(open)} would be a proxy open to everybody: ask for authentication, or allow anonymous clients`
    )
  }
  const authentication = authenticate(methods)
  const limits = { maxConnections, handshakeTimeout, connectTimeout, idleTimeout }
  for (const [name, limit] of Object.entries(limits)) {
    if (!(limit > 0)) throw new ConfigurationError(`${name} is a number above zero, or Infinity`)
  }
  return { endpoints, authentication, dial: dialTarget, ...limits }
}

/** An endpoint in words: `host:port`, or the path of a unix socket. */
export const describeEndpoint = (endpoint: Endpoint): string =>
  'path' in endpoint ? endpoint.path : formatAddress(endpoint)

import { authenticate, none } from '@it-socks/auth'
import type { RelaySockets } from '@it-socks/command'
import { portable, systemResolve, systemReverse, type Endpoint } from '@it-socks/net'
import { ConfigurationError, formatAddress, isLoopback } from '@it-socks/protocol'
import { socks4, type Socks4Options } from '@it-socks/socks4'
import type { Authenticated, Requested, Stage } from '@it-socks/stage'
import type { ServerOptions } from './options.ts'
import { standardRules, verdictOf } from './rules.ts'

/** Options with every default filled in. */
export interface Settings extends Required<
  Omit<ServerOptions, 'listen' | 'methods' | 'socks4' | 'allowAnonymous' | 'allowPrivate' | 'publicHost' | 'relays'>
> {
  readonly endpoints: readonly Endpoint[]
  readonly authentication: Stage<unknown, Authenticated>
  /** SOCKS4, where it is spoken. */
  readonly identification: Stage<unknown, Authenticated & Requested> | undefined
  readonly publicHost: string | undefined
  readonly relays: RelaySockets | undefined
}

const anonymous = 0x00
const nobody: Socks4Options = { admit: () => false }

/**
 * @param listening where the server listens, once it does
 * @throws {ConfigurationError} for an open proxy that nobody asked for by name, nowhere to listen, no methods …
 */
export const settle = (
  {
    listen = { host: '127.0.0.1', port: 1080 },
    methods = [none()],
    socks4: fourth = methods.every(({ id }) => id === anonymous) ? {} : nobody,
    allowAnonymous = false,
    commands = ['connect', 'bind', 'udpAssociate'],
    rules = [],
    otherwise = verdictOf(rules),
    allowPrivate = false,
    resolve = systemResolve(),
    reverseResolve = systemReverse(),
    engine = portable,
    reusePort = false,
    dial = engine.dial({ resolve, timeout: Infinity }),
    binder = engine.binder(),
    datagramBinder = engine.datagramBinder(),
    publicHost,
    relays,
    maxConnections = Infinity,
    handshakeTimeout = 10_000,
    connectTimeout = 30_000,
    bindTimeout = 60_000,
    idleTimeout = 300_000
  }: ServerOptions,
  listening: () => readonly Endpoint[]
): Settings => {
  const endpoints = [listen].flat()
  if (endpoints.length === 0) throw new ConfigurationError('a server needs somewhere to listen')
  const open = endpoints.find((endpoint) => 'host' in endpoint && !isLoopback(endpoint.host))
  if (open !== undefined && !allowAnonymous && methods.some(({ id }) => id === anonymous)) {
    throw new ConfigurationError(
      `${describeEndpoint(open)} would be a proxy open to everybody: ask for authentication, or allow anonymous clients`
    )
  }
  const limits = { maxConnections, handshakeTimeout, connectTimeout, bindTimeout, idleTimeout }
  for (const [name, limit] of Object.entries(limits)) {
    if (!(limit > 0)) throw new ConfigurationError(`${name} is a number above zero, or Infinity`)
  }
  return {
    endpoints,
    authentication: authenticate(methods),
    identification: fourth === false ? undefined : socks4(fourth),
    commands,
    rules: standardRules({ rules, allowPrivate, listening }),
    otherwise,
    resolve,
    reverseResolve,
    engine,
    reusePort,
    dial,
    binder,
    datagramBinder,
    publicHost,
    relays,
    ...limits
  }
}

/** An endpoint in words: `host:port`, or the path of a unix socket. */
export const describeEndpoint = (endpoint: Endpoint): string =>
  'path' in endpoint ? endpoint.path : formatAddress(endpoint)

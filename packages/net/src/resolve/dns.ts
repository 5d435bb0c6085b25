import { Resolver } from 'node:dns/promises'
import { ConfigurationError, addressType, canonicalHost, formatAddress, parseAddress } from '@it-socks/protocol'
import { after, onAbort, type Resolve } from '@it-socks/stage'
import { resolveNames } from './names.ts'
import type { AddressOrder } from './order.ts'

export interface DnsResolveOptions {
  /** Whom to ask: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`. The next where one is silent. */
  servers: readonly string[]
  /** Which family comes first. Default: `verbatim`, which in DNS, where nobody orders them, is IPv6 (RFC 8305 section 4). */
  order?: AddressOrder
  /** How long a server may take at the first try, in milliseconds; each further try has longer. Default: 2000. */
  timeout?: number
  /** How often each server is tried. Default: 2. */
  tries?: number
  /** How long one family waits for the other once it is there, in milliseconds (RFC 8305 section 3). Default: 250. */
  resolutionDelay?: number
}

/**
 * Resolves names by asking these DNS servers for A and AAAA records at once. Where one family fails, the other is the
 * answer. The system's settings and hosts file have no say.
 *
 * The promise rejects with an `UnresolvableError`, whose `cause` is the resolver's error (`ENOTFOUND`, `ESERVFAIL`,
 * `ETIMEOUT` …).
 *
 * @throws {ConfigurationError} for a server that is no IP address, or without one
 *
 * @example
 *
 * ```ts
 * import { dial, dnsResolve } from '@it-socks/net'
 *
 * const resolve = dnsResolve({ servers: ['192.0.2.53', '[2001:db8::53]:5353'], order: 'ipv4first' })
 * const direct = dial({ resolve })
 * ```
 */
export const dnsResolve = ({
  servers,
  order = 'verbatim',
  timeout = 2000,
  tries = 2,
  resolutionDelay = 250
}: DnsResolveOptions): Resolve => {
  if (servers.length === 0) throw new ConfigurationError('no DNS server is named')
  const asked = servers.map(serverOf)
  const families = order === 'ipv4first' ? ([4, 6] as const) : ([6, 4] as const)

  // A resolver for each lookup, so that one can be cancelled alone. It also has a port, and so a secret, of its own.
  const open = (): Resolver => {
    const resolver = new Resolver({ timeout, tries })
    resolver.setServers(asked)
    return resolver
  }
  try {
    open()
  } catch (cause) {
    throw new ConfigurationError('the options of the DNS resolver are not valid', { cause })
  }

  return resolveNames(async (name, { family, signal }) => {
    const resolver = open()
    const cancel = (): void => resolver.cancel()
    const release = onAbort(signal, cancel)
    let stopClock = (): void => {}
    const queries = families
      .filter((each) => family === undefined || each === family)
      .map((each) => (each === 4 ? resolver.resolve4(name) : resolver.resolve6(name)))
    const waitNoLonger = (): void => {
      stopClock()
      stopClock = after(resolutionDelay, cancel)
    }
    for (const query of queries) query.then(waitNoLonger, () => {})
    const answers = await Promise.allSettled(queries)
    release()
    stopClock()
    return addressesIn(answers)
  })
}

/** Node itself takes any number for a port, and dies of 0. */
const serverOf = (text: string): string => {
  const host = canonicalHost(text)
  if (addressType(host) !== 'domain') return host
  const server = parseServer(text)
  if (addressType(server.host) === 'domain' || server.port === 0) throw noServer(text)
  return formatAddress(server)
}

const parseServer: typeof parseAddress = (text) => {
  try {
    return parseAddress(text)
  } catch (cause) {
    throw noServer(text, { cause })
  }
}

const noServer = (text: string, options?: ErrorOptions): ConfigurationError =>
  new ConfigurationError(`${text} is not the address of a DNS server`, options)

/** Of the reasons why there is nothing, that there are no records of one family (ENODATA) says the least. */
const addressesIn = (answers: ReadonlyArray<PromiseSettledResult<string[]>>): string[] => {
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  if (found.length > 0) return found
  const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []))
  throw reasons.find((reason) => (reason as NodeJS.ErrnoException).code !== 'ENODATA') ?? reasons[0]
}

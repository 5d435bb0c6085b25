import { after, onAbort, type Resolve } from '@it-socks/stage'
import { dnsServers, type DnsServersOptions } from './dns-servers.ts'
import { resolveNames } from './names.ts'
import type { AddressOrder } from './order.ts'

export interface DnsResolveOptions extends DnsServersOptions {
  /** Which family comes first. Default: `verbatim`, which in DNS, where nobody orders them, is IPv6 (RFC 8305 section 4). */
  order?: AddressOrder
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
export const dnsResolve = ({ order = 'verbatim', resolutionDelay = 250, ...options }: DnsResolveOptions): Resolve => {
  const open = dnsServers(options)
  const families = order === 'ipv4first' ? ([4, 6] as const) : ([6, 4] as const)
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

/** Of the reasons why there is nothing, that there are no records of one family (ENODATA) says the least. */
const addressesIn = (answers: ReadonlyArray<PromiseSettledResult<string[]>>): string[] => {
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  if (found.length > 0) return found
  const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []))
  throw reasons.find((reason) => (reason as NodeJS.ErrnoException).code !== 'ENODATA') ?? reasons[0]
}

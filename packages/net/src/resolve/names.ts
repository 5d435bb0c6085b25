import { SocksError, UnresolvableError, addressType, canonicalHost } from '@it-socks/protocol'
import { abortable, never, type Resolve } from '@it-socks/stage'

/** Finds the addresses of a name. May know nothing of families or signals: they are seen to. */
export type FindAddresses = (
  name: string,
  options: { family: 4 | 6 | undefined; signal: AbortSignal }
) => Promise<readonly string[]>

/** Whether an IP address is of the family that was asked for; all are where none was. */
export const isOfFamily = (ip: string, family: 4 | 6 | undefined): boolean => {
  const type = addressType(ip)
  return type !== 'domain' && (family === undefined || type === `ipv${family}`)
}

/**
 * Makes a `Resolve` of what finds the addresses of names: an IP address is its own answer, a failure is an
 * `UnresolvableError`, an answer is never empty, and the signal's reason comes at once.
 */
export const resolveNames =
  (find: FindAddresses): Resolve =>
  async (host, { family, signal = never } = {}) => {
    signal.throwIfAborted()
    const looked =
      addressType(host) === 'domain' ? await abortable(named(host, find(host, { family, signal })), signal) : [host]
    const found = looked.map(canonicalHost).filter((ip) => isOfFamily(ip, family))
    if (found.length === 0) throw new UnresolvableError(host)
    return found
  }

/** Any failure to find is that the host cannot be resolved, if it has no name of its own. */
export const named = <T>(host: string, found: Promise<T>): Promise<T> =>
  found.catch((cause: unknown) => {
    throw cause instanceof SocksError ? cause : new UnresolvableError(host, { cause })
  })

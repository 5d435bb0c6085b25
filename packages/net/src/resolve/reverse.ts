import { lookupService } from 'node:dns/promises'
import { UnresolvableError, addressType } from '@it-socks/protocol'
import { abortable, never, type ReverseResolve } from '@it-socks/stage'
import { named } from './names.ts'

/**
 * Finds names of IP addresses as the operating system does (`getnameinfo`: hosts file, PTR records …).
 *
 * The promise rejects with an `UnresolvableError`, whose `cause` is the system's error, for an address without a name
 * and for what is not an address.
 *
 * @example
 *
 * ```ts
 * import { systemReverse } from '@it-socks/net'
 *
 * const reverse = systemReverse()
 * const nameOf = (ip: string) => reverse(ip, { signal: AbortSignal.timeout(5000) })
 * ```
 */
export const systemReverse =
  (): ReverseResolve =>
  async (ip, { signal = never } = {}) => {
    signal.throwIfAborted()
    if (addressType(ip) === 'domain') throw new UnresolvableError(ip)
    const { hostname } = await abortable(named(ip, lookupService(ip, 0)), signal)
    return hostname
  }

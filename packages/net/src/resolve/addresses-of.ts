import { RefusedError, UnresolvableError, addressType, canonicalHost } from '@it-socks/protocol'
import { abortable, never, type Resolve, type ResolveOptions } from '@it-socks/stage'
import { isOfFamily } from './names.ts'

/**
 * Asks `resolve`, and takes from its answer what are addresses of the family that was asked for, in the form that
 * `canonicalHost` gives them: what was IPv4 mapped into IPv6 is IPv4. A name among them would be looked up again, behind
 * everybody's back. Never resolves with an empty list; an IP address is its own answer, whatever `resolve` makes of it.
 *
 * The promise rejects with a `RefusedError` where nothing is left, and with the signal's reason at once.
 *
 * @example
 *
 * ```ts
 * import { addressesOf } from '@it-socks/net'
 *
 * const table = async () => ['192.0.2.1', '2001:db8::1', 'example.net']
 * await addressesOf(table, 'example.com', { family: 6 }) // => ['2001:db8::1']
 * ```
 */
export const addressesOf = async (
  resolve: Resolve,
  host: string,
  options: ResolveOptions = {}
): Promise<[string, ...string[]]> => {
  const { family, signal = never } = options
  signal.throwIfAborted()
  if (addressType(host) !== 'domain') return [addressOf(host, family)]
  const found = await abortable(resolve(host, options), signal)
  const [first, ...others] = found.map(canonicalHost).filter((ip) => isOfFamily(ip, family))
  if (first === undefined) throw new UnresolvableError(host)
  return [first, ...others]
}

/**
 * An IP address in its canonical form.
 *
 * @throws {RefusedError} where it is not of the family: unlike a name, it has no other
 */
export const addressOf = (ip: string, family?: 4 | 6): string => {
  const canonical = canonicalHost(ip)
  if (isOfFamily(canonical, family)) return canonical
  throw new RefusedError('address-type-not-supported', { message: `${ip} is not of the family that is dialled` })
}

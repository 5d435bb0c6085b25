import { lookup } from 'node:dns/promises'
import { RefusedError, UnresolvableError, addressType, type AddressType } from '@it-socks/protocol'
import { abortable, never, type Resolve, type ResolveOptions } from '@it-socks/stage'

/**
 * Resolves names as the operating system does (`getaddrinfo`: hosts file, DNS and whatever else it is set up for), in
 * its order.
 *
 * The promise rejects with an `UnresolvableError`, whose `cause` is the system's error.
 *
 * @example
 *
 * ```ts
 * import { systemResolve } from '@it-socks/net'
 *
 * const resolve = systemResolve()
 * await resolve('192.0.2.1') // => ['192.0.2.1']
 * ```
 */
export const systemResolve =
  (): Resolve =>
  async (host, { family = 0, signal = never } = {}) => {
    if (addressType(host) !== 'domain') return [host]
    const found = lookup(host, { all: true, family, order: 'verbatim' }).catch((cause: unknown) => {
      throw new UnresolvableError(host, { cause })
    })
    return (await abortable(found, signal)).map(({ address }) => address)
  }

/**
 * Asks `resolve`, and takes from its answer what are addresses of the family that was asked for. A name among them would
 * be looked up again, behind everybody's back. Never resolves with an empty list.
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
  const types: readonly AddressType[] = family === undefined ? ['ipv4', 'ipv6'] : [`ipv${family}`]
  const found = await abortable(resolve(host, options), signal)
  const [first, ...others] = found.filter((ip) => types.includes(addressType(ip)))
  if (first === undefined) throw noAddress(host)
  return [first, ...others]
}

/** A name may have addresses, if not of the family that was asked for; an address has no other family. */
const noAddress = (host: string): RefusedError =>
  addressType(host) === 'domain'
    ? new UnresolvableError(host)
    : new RefusedError('address-type-not-supported', { message: `${host} is not of the family that is dialled` })

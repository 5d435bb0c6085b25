import { lookup } from 'node:dns/promises'
import { UnresolvableError, addressType } from '@it-socks/protocol'
import { abortable, never, type Resolve } from '@it-socks/stage'

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

import { lookup } from 'node:dns/promises'
import type { Resolve } from '@it-socks/stage'
import { resolveNames } from './names.ts'
import type { AddressOrder } from './order.ts'

export interface SystemResolveOptions {
  /** Which family comes first. Default: `verbatim`, as the system has them. */
  order?: AddressOrder
}

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
 * const resolve = systemResolve({ order: 'ipv6first' })
 * await resolve('192.0.2.1') // => ['192.0.2.1']
 * ```
 */
export const systemResolve = ({ order = 'verbatim' }: SystemResolveOptions = {}): Resolve =>
  resolveNames(async (name, { family = 0 }) => {
    const found = await lookup(name, { all: true, family, order })
    return found.map(({ address }) => address)
  })

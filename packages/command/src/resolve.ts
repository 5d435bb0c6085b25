import { RefusedError, UnresolvableError, addressType } from '@it-socks/protocol'
import { stage, type Authorized, type Resolve, type ReverseResolve, type Tunnel, type Tunnelled } from '@it-socks/stage'
import type { Commanded, CommandHandler } from './command.ts'
import { permittedAddresses } from './permitted.ts'

/** What there is to join with the client once it has its answer. */
const over = (): Tunnel => ({
  source: (async function* () {})(),
  async sink(source) {
    await source[Symbol.asyncIterator]().return?.()
  }
})

/**
 * Tor's RESOLVE (CMD 0xF0, section 2 of its SOCKS extensions): answers with the first address of DST.ADDR, in BND.ADDR,
 * that rules permit. DST.PORT does not count; the connection is then over.
 *
 * The stage throws what `lookUp` throws, an `UnresolvableError`, or what `permit` throws where it permits no address.
 *
 * @example
 *
 * ```ts
 * import { command, resolve } from '@it-socks/command'
 * import { systemResolve } from '@it-socks/net'
 *
 * const stage = command({ resolve: resolve(systemResolve()) })
 * ```
 */
export const resolve = (lookUp: Resolve): CommandHandler<Commanded & Partial<Authorized>> =>
  stage<Commanded & Partial<Authorized>, Tunnelled>(async function* ({ context, signal }) {
    const [host] = await permittedAddresses(context, lookUp, signal)
    yield context.grant({ host, port: 0 })
    return { tunnel: over(), refuse: () => undefined }
  })

/**
 * Tor's RESOLVE_PTR (CMD 0xF1, section 2 of its SOCKS extensions): answers with the name of the IP address DST.ADDR, as a
 * domain in BND.ADDR. DST.PORT does not count; the connection is then over.
 *
 * The stage throws a `RefusedError` (address type not supported) for a domain, what `permit` or `lookUp` throws, and an
 * `UnresolvableError` for a name that is an IP address: ATYP could not say that it is a name.
 *
 * @example
 *
 * ```ts
 * import { command, resolvePtr } from '@it-socks/command'
 *
 * const stage = command({ resolvePtr: resolvePtr(async (ip) => `host-${ip.replaceAll('.', '-')}.example.com`) })
 * ```
 */
export const resolvePtr = (lookUp: ReverseResolve): CommandHandler<Commanded & Partial<Authorized>> =>
  stage<Commanded & Partial<Authorized>, Tunnelled>(async function* ({ context, signal }) {
    const { grant, permit, request } = context
    const { host: ip } = request.destination
    if (addressType(ip) === 'domain') throw new RefusedError('address-type-not-supported')
    permit?.(request.destination)
    const host = await lookUp(ip, { signal })
    if (addressType(host) !== 'domain') throw new UnresolvableError(ip)
    yield grant({ host, port: 0 })
    return { tunnel: over(), refuse: () => undefined }
  })

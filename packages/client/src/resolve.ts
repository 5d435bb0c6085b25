import { addressesOf } from '@it-socks/net'
import { RefusedError, UnresolvableError, addressType, type CommandName } from '@it-socks/protocol'
import type { Cancellable, Resolve, ReverseResolve } from '@it-socks/stage'
import { inTime, type ThroughOptions } from './enter.ts'
import { hangUp } from './hang-up.ts'
import { settle, type ProxySettings } from './proxy.ts'

/** How to resolve through a proxy. */
export type ResolveThroughOptions = Omit<ThroughOptions, 'signal'>

/**
 * A `Resolve` that asks a proxy (RESOLVE 0xF0, section 2 of Tor's SOCKS extensions): one connection for each name. Tor
 * answers with one address, and chooses its family. Of an IP address it is that address, and nobody is asked.
 *
 * The promise rejects with an `UnresolvableError` where the proxy finds no address, or none of the family that was asked
 * for, with a `RefusedError` ("command not supported") where it has no RESOLVE, and else as that of `connect` does.
 *
 * @throws {ConfigurationError} for a SOCKS4 proxy, or one that `connect` would not take
 *
 * @example
 *
 * ```ts
 * import { resolveThrough } from '@it-socks/client'
 *
 * const resolve = resolveThrough({ proxy: 'socks5h://127.0.0.1:9050' })
 * const find = () => resolve('www.torproject.org')
 * await resolve('192.0.2.1') // => ['192.0.2.1']
 * ```
 */
export const resolveThrough = ({ proxy, ...through }: ResolveThroughOptions): Resolve => {
  const settings = settle(proxy)
  const ask = asking('resolve', settings, through)
  return (host, options) =>
    addressesOf(async () => [addressType(host) === 'domain' ? await ask(host, options) : host], host, options)
}

/**
 * A `ReverseResolve` that asks a proxy (RESOLVE_PTR 0xF1, section 2 of Tor's SOCKS extensions): one connection for each
 * address.
 *
 * The promise rejects with an `UnresolvableError` where the proxy finds no name, with a `RefusedError` ("command not
 * supported") where it has no RESOLVE_PTR, and else as that of `connect` does.
 *
 * @throws {ConfigurationError} for a SOCKS4 proxy, or one that `connect` would not take
 *
 * @example
 *
 * ```ts
 * import { reverseThrough } from '@it-socks/client'
 *
 * const reverse = reverseThrough({ proxy: 'socks5h://127.0.0.1:9050' })
 * const find = () => reverse('192.0.2.1')
 * ```
 */
export const reverseThrough = ({ proxy, ...through }: ResolveThroughOptions): ReverseResolve => {
  const settings = settle(proxy)
  const ask = asking('resolvePtr', settings, through)
  return async (ip, options) => {
    const name = await ask(ip, options)
    if (addressType(name) !== 'domain') throw new UnresolvableError(ip)
    return name
  }
}

type Asking = Extract<CommandName, 'resolve' | 'resolvePtr'>

/** Asks the proxy about a host: what it answers in BND.ADDR. */
const asking = (command: Asking, settings: ProxySettings, through: Omit<ResolveThroughOptions, 'proxy'>) => {
  const { dialect } = settings
  // A version of SOCKS that cannot be asked is told before anybody needs an answer.
  dialect.ask({ command, destination: { host: '0.0.0.0', port: 0 } })
  return (host: string, options: Cancellable = {}): Promise<string> =>
    inTime({ ...through, ...options }, settings, 'resolving through the proxy', async (enter, signal) => {
      try {
        const { bound, duplex } = await enter(dialect.ask({ command, destination: { host, port: 0 } }), signal)
        await hangUp(duplex, Promise.resolve())
        return bound.host
      } catch (error) {
        const notFound = error instanceof RefusedError && error.reply === 'host-unreachable'
        throw notFound ? new UnresolvableError(host, { cause: error }) : error
      }
    })
}

import type { Dial } from '@it-socks/stage'
import { connect, type ConnectOptions } from './connect.ts'

/**
 * A `Dial` through a proxy: gives a server, or another `connect`, its way out. Rules that judge addresses (`permit`) judge
 * those that are seen here: a destination that is an IP address, and the addresses of a name that is resolved here. For
 * rules to hold for names, too, take `socks5://` and not `socks5h://`.
 *
 * @example
 *
 * ```ts
 * import { connect, dialThrough } from '@it-socks/client'
 *
 * const dial = dialThrough({ proxy: 'socks5h://127.0.0.1:1080' })
 * const open = () => connect({ proxy: 'socks5h://proxy.example:1080', destination: 'example.com:80', dial })
 * ```
 */
export const dialThrough =
  (options: Omit<ConnectOptions, 'destination' | 'signal' | 'permit'>): Dial =>
  (destination, dialing = {}) =>
    connect({ ...options, ...dialing, destination })

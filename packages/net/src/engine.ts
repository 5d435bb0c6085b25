import type { Binder, DatagramBinder, Dial, Flow, Transport } from '@it-socks/stage'
import { binder, type BinderSettings } from './bind/binder.ts'
import { datagramBinder, type DatagramBinderSettings } from './bind/datagram-binder.ts'
import { dial, type DirectDialOptions } from './dial.ts'
import { listen, type Endpoint, type Listener, type ListenOptions } from './listen.ts'

/** A way to have connections: all that a server takes from the system. */
export interface Engine {
  /** What it is called, in logs and on the command line: `portable`, for this package's own. */
  readonly name: string
  readonly listen: (endpoint: Endpoint, options?: ListenOptions) => Listener
  readonly dial: (options?: DirectDialOptions) => Dial
  readonly binder: (settings?: BinderSettings) => Binder
  readonly datagramBinder: (settings?: DatagramBinderSettings) => DatagramBinder
  /** Joins two transports by a way of its own, ahead of theirs; says whether it has. Default: by theirs. */
  readonly join?: (client: Transport, target: Transport, flow: Flow) => boolean
}

/**
 * Node's own sockets: runs everywhere.
 *
 * @example
 *
 * ```ts
 * import { portable } from '@it-socks/net'
 *
 * portable.name // => 'portable'
 * const direct = portable.dial({ timeout: 5000 })
 * ```
 */
export const portable: Engine = { name: 'portable', listen, dial, binder, datagramBinder }

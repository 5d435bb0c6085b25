import type { Binder, DatagramBinder, Dial, Flow, Transport } from '@it-socks/stage'
import { binder, type BinderSettings } from './bind/binder.ts'
import { datagramBinder, type DatagramBinderSettings } from './bind/datagram-binder.ts'
import { dial, type DirectDialOptions } from './dial.ts'
import { listen, listenBy, type Endpoint, type Listener, type ListenOptions } from './listen.ts'
import { socketStack } from './socket/stack.ts'

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
 * What Node has: runs everywhere. Connections are what is below Node's sockets, where that is what we know; where it is
 * not, they are `sockets`.
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

const listenOnSockets = listenBy(socketStack)

/**
 * Node's own sockets, and nothing that is not a public part of Node. Relays go by iterators: it costs more than `portable`.
 *
 * @example
 *
 * ```ts
 * import { sockets } from '@it-socks/net'
 *
 * sockets.name // => 'sockets'
 * ```
 */
export const sockets: Engine = {
  name: 'sockets',
  listen: listenOnSockets,
  dial: (options) => dial({ open: socketStack.open, ...options }),
  binder: (settings) => binder({ listen: listenOnSockets, ...settings }),
  datagramBinder
}

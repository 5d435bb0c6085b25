import { binder, dial, type Engine } from '@it-socks/net'
import { datagramBinder } from './datagrams/datagram-binder.ts'
import { listen } from './listen.ts'
import { open } from './open.ts'

const engine: Engine = {
  name: 'epoll',
  listen,
  dial: (options) => dial({ ...options, open }),
  binder: (settings) => binder({ ...settings, listen }),
  datagramBinder
}

/**
 * Linux sockets by system calls: connections and datagrams for the same stages as ever, at a lower price.
 * They are waited for in Node's own event loop, in the thread that calls it.
 *
 * @example
 *
 * ```ts
 * import { epoll } from '@it-socks/epoll'
 *
 * const { listen, dial } = epoll()
 * const listener = listen({ host: '127.0.0.1', port: 0 })
 * const endpoint = await listener.listening
 * const connection = 'port' in endpoint ? await dial()(endpoint) : undefined
 * connection?.remoteAddress?.host // => '127.0.0.1'
 * connection?.abort?.(new Error('enough'))
 * listener.close()
 * ```
 */
export const epoll = (): Engine => engine

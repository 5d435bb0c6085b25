import { epoll } from '@it-socks/epoll'
import type { ServerOptions } from '@it-socks/server'

/** The options of the server in each thread. */
export default (): ServerOptions => ({ listen: { host: '127.0.0.1', port: 0 }, engine: epoll() })

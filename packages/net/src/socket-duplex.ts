import type { Socket } from 'node:net'
import type { ByteDuplex } from '@it-socks/stage'
import { SocketConnection } from './socket-connection.ts'

/**
 * A socket as a duplex; every method of the contract is there. They are shared by all duplexes: to make another of one,
 * call them, for a copy (`{ ...duplex }`) has none.
 */
export interface SocketDuplex extends ByteDuplex {
  readonly source: AsyncIterable<Uint8Array>
  abort(reason: unknown): void
}

/**
 * Makes a duplex of a connected socket: TCP, unix or TLS, opened with `allowHalfOpen: true` so that half-close works.
 * The duplex owns the socket from here on.
 *
 * @example
 *
 * ```ts
 * import { connect } from 'node:net'
 * import { socketDuplex } from '@it-socks/net'
 *
 * const open = (path: string) => socketDuplex(connect({ path, allowHalfOpen: true }))
 * ```
 */
export const socketDuplex = (socket: Socket): SocketDuplex => new SocketConnection(socket)

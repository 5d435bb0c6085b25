import type { Socket } from 'node:net'
import type { Transport } from '@it-socks/stage'

/** What a duplex of one of Node's plain sockets travels on, TCP or unix. */
export interface SocketTransport extends Transport {
  /** The socket, which the duplex owns; once it is detached, one that is closed. */
  readonly socket: Socket
  /** Whether it can be detached: it has not broken, nobody reads it, has called its sink or joined it. */
  readonly detachable: boolean
  /**
   * Forgets the socket: it is read no more and nobody listens to it, but for an error, which is ignored. It is the
   * caller's now, who has duplicated its descriptor before and destroys it; nothing may wait in it then (`waiting`), or it
   * is lost. From here on the duplex's `abort` calls this one.
   *
   * @returns what was read and not consumed, and whether the peer's end has been read after it
   * @throws {Error} where it is not `detachable`; nothing has happened then
   */
  detach(abort: (reason: unknown) => void): Detached
}

/** What a socket leaves to whoever takes its descriptor over. */
export interface Detached {
  readonly ahead: Uint8Array[]
  readonly ended: boolean
}

/**
 * Whether a transport is one of Node's sockets: for those who can do more with a socket than its transport does.
 *
 * @example
 *
 * ```ts
 * import { isSocketTransport } from '@it-socks/net'
 * import { transportOf, type ByteDuplex } from '@it-socks/stage'
 *
 * const keepAlive = (duplex: ByteDuplex) => {
 *   const transport = transportOf(duplex)
 *   if (transport !== undefined && isSocketTransport(transport)) transport.socket.setKeepAlive(true, 60_000)
 * }
 * ```
 */
export const isSocketTransport = (transport: Transport): transport is SocketTransport =>
  'socket' in transport && 'detach' in transport

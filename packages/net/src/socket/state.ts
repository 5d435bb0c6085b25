import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Waiters } from '../waiters.ts'

/** A socket, and who waits for it. */
export interface SocketState extends Waiters {
  readonly socket: Socket
}

/** Ends it at once; the peer hears of a reset, where there is such a thing. */
export const reset = (state: SocketState, reason: unknown): void => {
  const { socket } = state
  if (socket.destroyed) return
  state.error ??= reason
  if (hasReset(socket) && !isEnding(socket)) socket.resetAndDestroy()
  else socket.destroy()
}

/** Only TCP sockets have it, and TLS hides its own. */
const hasReset = (socket: Socket): boolean => socket.remoteFamily !== undefined && !(socket instanceof TLSSocket)

/** While its FIN is on the way libuv refuses to reset it, and Node would lose the descriptor for good. */
const isEnding = (socket: Socket): boolean =>
  socket.writableEnded && !socket.writableFinished && socket.writableLength === 0

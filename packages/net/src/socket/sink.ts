import type { ByteDuplex } from '@it-socks/stage'
import { consumer, tellDrained, tellWriters, tellWritten } from '../waiters.ts'
import { reset, type SocketState } from './state.ts'

/**
 * Writes to a socket, waiting whenever it is full, and half-closes it at the end. Settles as soon as the socket breaks,
 * even while the source has nothing to write.
 */
export const socketSink = (state: SocketState): ByteDuplex['sink'] => {
  state.socket
    .on('drain', () => tellDrained(state))
    .on('finish', () => tellWritten(state))
    .on('close', () => tellWriters(state))
  return (source) => consume(state, source)
}

const consume = consumer<SocketState>({
  isClosed: ({ socket }) => socket.destroyed,
  write: ({ socket }, bytes) => socket.write(bytes),
  drained: (state, act) => {
    state.whenDrained = act
  },
  finish: ({ socket }) => void socket.end(),
  abort: reset
})

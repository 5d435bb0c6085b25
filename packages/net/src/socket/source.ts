import type { Socket } from 'node:net'
import { breakage, finished, pass, takeAhead, tellReaders, waitToRead } from '../waiters.ts'
import type { SocketState } from './state.ts'

/**
 * What a socket receives. A leaner iterator than Node's own, which costs a handshake three times as much: one chunk is
 * handed to whoever waits for it; with nobody waiting a few are kept and the socket pauses.
 */
export const socketSource = (state: SocketState): AsyncIterableIterator<Uint8Array, void> => {
  const { socket } = state
  let ended = socket.readableEnded

  socket
    .pause()
    .on('data', (chunk: Uint8Array) => {
      if (!ended && !pass(state, chunk)) socket.pause()
    })
    .on('end', () => {
      ended = true
      tellReaders(state, true)
    })
    .on('close', () => tellReaders(state, ended))

  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      const value = takeAhead(state)
      if (value !== undefined) return Promise.resolve({ done: false, value })
      if (ended) return Promise.resolve(finished)
      if (socket.destroyed) return Promise.reject(breakage(state))
      socket.resume()
      return waitToRead(state)
    },
    return() {
      ended = true
      state.ahead = undefined
      tellReaders(state, true)
      discard(socket)
      return Promise.resolve(finished)
    }
  }
}

/** What still comes is thrown away, until the end or until nobody writes either: else it would never close. */
const discard = (socket: Socket): void => {
  if (socket.destroyed) return
  socket.resume()
  if (socket.writableFinished) destroySoon(socket)
  else socket.once('finish', () => destroySoon(socket))
}

/**
 * Once what has come by now is read: left unread it would be a reset, and that may overtake what was said last. Between the
 * first turn and the second all that is there is read, whenever this one is called.
 */
const destroySoon = (socket: Socket): void => void setImmediate(() => setImmediate(() => socket.destroy()))

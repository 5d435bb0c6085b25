import type { Socket } from 'node:net'
import { breakage } from '../breakage.ts'
import { copy, finished, type Reader, type Result, type State } from './state.ts'
import { finish, give } from './write.ts'

let reader: Reader

/** An executor that is no closure: there is one promise for every read. */
const newReader = (resolve: Reader['resolve'], reject: Reader['reject']): void => {
  reader = { resolve, reject }
}

/**
 * The next chunk: one that was kept, or else whoever asks waits. (Node's own iterator costs a handshake three times as
 * much.)
 */
export const next = (connection: State): Promise<Result> => {
  const value = connection.ahead?.shift()
  if (value !== undefined) return Promise.resolve({ done: false, value })
  if (connection.isEnded) return Promise.resolve(finished)
  if (connection.socket.destroyed) return Promise.reject(breakage(connection))
  const result = new Promise(newReader)
  connection.readers ??= []
  connection.readers.push(reader)
  connection.socket.resume()
  return result
}

/** Bytes have come; `lent` are those that are to be copied by whoever keeps them. Returns whether to read on. */
export const received = (connection: State, bytes: Uint8Array, length: number, lent: boolean): boolean => {
  // What is ahead waits for the peer, and this behind it.
  if (connection.peer !== undefined && connection.ahead === undefined) {
    connection.flow?.passed(connection.direction, length)
    return connection.peer !== undefined && give(connection.peer, bytes, length, lent)
  }
  const reader = connection.readers?.shift()
  if (reader === undefined && connection.isEnded) return true
  const chunk = lent ? copy(bytes, 0, length) : bytes
  if (reader !== undefined) {
    reader.resolve({ done: false, value: chunk })
    return true
  }
  connection.ahead ??= []
  connection.ahead.push(chunk)
  return false
}

/** The peer has ended. */
export const ended = (connection: State): void => {
  connection.isEnded = true
  settleReaders(connection)
  // With something ahead of the end it has to wait.
  if (connection.peer !== undefined && connection.ahead === undefined) finish(connection.peer)
}

/** Nobody wants what comes any more: it is thrown away, until the end or until nobody writes either, for it to close. */
export const stopReading = (connection: State): void => {
  const { socket } = connection
  connection.isUsed = true
  connection.isEnded = true
  connection.ahead = undefined
  settleReaders(connection)
  if (socket.destroyed) return
  socket.resume()
  if (socket.writableFinished) destroySoon(socket)
  else socket.once('finish', () => destroySoon(socket))
}

/** Whoever still waits for something to read hears that nothing comes. */
export const settleReaders = (connection: State): void => {
  const { readers } = connection
  if (readers === undefined) return
  connection.readers = undefined
  for (const { resolve, reject } of readers) {
    if (connection.isEnded) resolve(finished)
    else reject(breakage(connection))
  }
}

/**
 * Once what has come by now is read: left unread it would be a reset, and that may overtake what was said last. Between the
 * first turn and the second all that is there is read, whenever this one is called.
 */
const destroySoon = (socket: Socket): void => void setImmediate(() => setImmediate(() => socket.destroy()))

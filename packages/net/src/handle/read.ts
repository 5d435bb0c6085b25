import { systemError } from '../system-error.ts'
import { breakage, copyOf, finished, pass, takeAhead, tellReaders, waitToRead, type Result } from '../waiters.ts'
import { breakOff, close, closeSoon } from './end.ts'
import { UV_EOF, libuv, type Handle } from './libuv.ts'
import type { State } from './state.ts'
import { finish, give } from './write.ts'

/**
 * Where everything that is read comes first. What costs a relay most in Node is the fresh memory, 64 KB of it, for every
 * read. With 256 KB bulk costs a seventh more; what a peer does not take at once is held by its relay, at most as much as this.
 */
const input = new Uint8Array(512 * 1024)

/** Makes a connection hear what comes to a handle, once it is read. */
export const listenTo = (handle: Handle, connection: State): void => {
  handle.owner = connection
  handle.onread = heard
  handle.useUserBuffer(input)
}

function heard(this: Handle): void {
  const connection = this.owner as State
  const length = libuv!.received()
  if (length > 0) received(connection, length)
  else if (length === UV_EOF) ended(connection)
  else if (length < 0) breakOff(connection, systemError(length, 'read'))
}

/** The next chunk: one that was kept, or else whoever asks waits. */
export const next = (connection: State): Promise<Result> => {
  const value = takeAhead(connection)
  if (value !== undefined) return Promise.resolve({ done: false, value })
  if (connection.isEnded) return Promise.resolve(finished)
  if (connection.isClosed) return Promise.reject(breakage(connection))
  const result = waitToRead(connection)
  startReading(connection)
  return result
}

/** Has libuv read. */
export const startReading = (connection: State): void => {
  if (connection.isReading || connection.isEnded || connection.isClosed) return
  connection.isReading = true
  const failure = connection.handle.readStart()
  if (failure !== 0) breakOff(connection, systemError(failure, 'read'))
}

export const stopReading = (connection: State): void => {
  if (!connection.isReading) return
  connection.isReading = false
  connection.handle.readStop()
}

/** Nobody wants what comes any more: it is thrown away, until the end or until nobody writes either, for it to close. */
export const discard = (connection: State): void => {
  connection.ahead = undefined
  if (connection.isEnded) return
  if (!connection.isClosed) {
    startReading(connection)
    connection.isDiscarding = true
  }
  connection.isEnded = true
  tellReaders(connection, true)
  if (connection.saying === 'nothing') closeSoon(connection)
}

/** So many bytes have come. With nobody waiting they are kept. */
const received = (connection: State, length: number): void => {
  const { peer } = connection
  if (connection.isDiscarding) return
  // What is ahead waits for the peer, and this behind it.
  if (peer !== undefined && connection.ahead === undefined) {
    connection.flow?.passed(connection.direction, length)
    if (connection.peer !== undefined && !give(peer, input, length, true)) stopReading(connection)
  } else if (!pass(connection, copyOf(input, length))) stopReading(connection)
}

/** The peer has ended. */
const ended = (connection: State): void => {
  const { peer } = connection
  connection.isEnded = true
  connection.isReading = false
  connection.isDiscarding = false
  tellReaders(connection, true)
  // With something ahead of the end it has to wait.
  if (peer !== undefined && connection.ahead === undefined) finish(peer)
  if (connection.saying === 'nothing') close(connection)
}

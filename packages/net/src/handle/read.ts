import { systemError } from '../system-error.ts'
import { breakOff, breakage, close, closeSoon, settleReaders } from './end.ts'
import { UV_EOF, libuv, type Handle } from './libuv.ts'
import { finished, type Reader, type Result, type State } from './state.ts'
import { isEnough } from '../enough.ts'
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

let reader: Reader

/** An executor that is no closure: there is one promise for every read. */
const newReader = (resolve: Reader['resolve'], reject: Reader['reject']): void => {
  reader = { resolve, reject, behind: undefined }
}

/** The next chunk: one that was kept, or else whoever asks waits. */
export const next = (connection: State): Promise<Result> => {
  const value = takeAhead(connection)
  if (value !== undefined) return Promise.resolve({ done: false, value })
  if (connection.isEnded) return Promise.resolve(finished)
  if (connection.isClosed) return Promise.reject(breakage(connection))
  const result = new Promise(newReader)
  wait(connection, reader)
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
  settleReaders(connection)
  if (connection.saying === 'nothing') closeSoon(connection)
}

/** So many bytes have come. With nobody waiting they are kept. */
const received = (connection: State, length: number): void => {
  const { peer, reader } = connection
  if (connection.isDiscarding) return
  // What is ahead waits for the peer, and this behind it.
  if (peer !== undefined && connection.ahead === undefined) {
    connection.flow?.passed(connection.direction, length)
    if (connection.peer !== undefined && !give(peer, input, length, true)) stopReading(connection)
  } else if (reader === undefined) {
    const ahead = (connection.ahead ??= [])
    ahead.push(taken(length))
    if (isEnough(ahead)) stopReading(connection)
  } else {
    connection.reader = reader.behind
    reader.resolve({ done: false, value: taken(length) })
  }
}

/** The peer has ended. */
const ended = (connection: State): void => {
  const { peer } = connection
  connection.isEnded = true
  connection.isReading = false
  connection.isDiscarding = false
  settleReaders(connection)
  // With something ahead of the end it has to wait.
  if (peer !== undefined && connection.ahead === undefined) finish(peer)
  if (connection.saying === 'nothing') close(connection)
}

/** What was read, as bytes of their own. From Node's pool: the first view of a small array of V8's own costs ten times as much. */
const taken = (length: number): Uint8Array => {
  const bytes = Buffer.allocUnsafe(length)
  bytes.set(input.subarray(0, length))
  return bytes
}

const takeAhead = (connection: State): Uint8Array | undefined => {
  const { ahead } = connection
  if (ahead === undefined) return undefined
  const value = ahead.shift()
  if (ahead.length === 0) connection.ahead = undefined
  return value
}

const wait = (connection: State, reader: Reader): void => {
  let last = connection.reader
  if (last === undefined) connection.reader = reader
  else {
    while (last.behind !== undefined) last = last.behind
    last.behind = reader
  }
}

import { ClosedError } from '@it-socks/protocol'
import { letGo, type Bytes } from '@it-socks/stage'

export type Result = IteratorResult<Uint8Array, void>
export const finished: Result = { done: true, value: undefined }

/** Somebody who waits for bytes, and who waits behind. */
export interface Reader {
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
  behind: Reader | undefined
}

/** The sink at work. */
export interface Writer {
  readonly iterator: AsyncIterator<Bytes>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Who waits for a connection, and what waits there to be read: the part that connections of every engine have in common. */
export interface Waiters {
  /** Why it broke, once it has; nothing where all is well, and where it ended well. */
  error: unknown
  /** What was read and not taken, or given back. */
  ahead: Uint8Array[] | undefined
  reader: Reader | undefined
  writer: Writer | undefined
  whenDrained: (() => void) | undefined
  whenBroken: ((error: unknown) => void) | undefined
}

/** Why it is over, for whoever comes late, too. */
export const breakage = (waiters: Waiters): unknown => (waiters.error ??= new ClosedError())

export const takeAhead = (waiters: Waiters): Uint8Array | undefined => {
  const { ahead } = waiters
  if (ahead === undefined) return undefined
  const value = ahead.shift()
  if (ahead.length === 0) waiters.ahead = undefined
  return value
}

/** Gives back what was read: it comes first again. */
export const giveBack = (waiters: Waiters, bytes: Bytes): void => {
  if (bytes.byteLength === 0) return
  waiters.ahead ??= []
  waiters.ahead.unshift(bytes instanceof Uint8Array ? bytes : bytes.subarray())
}

let reader: Reader

/** An executor that is no closure: there is one promise for every read. */
const newReader = (resolve: Reader['resolve'], reject: Reader['reject']): void => {
  reader = { resolve, reject, behind: undefined }
}

/** Waits for bytes, behind those who do already. */
export const waitToRead = (waiters: Waiters): Promise<Result> => {
  const result = new Promise(newReader)
  let last = waiters.reader
  if (last === undefined) waiters.reader = reader
  else {
    while (last.behind !== undefined) last = last.behind
    last.behind = reader
  }
  return result
}

const large = 4096
const many = 16

/**
 * Passes on what was read to whoever has waited for longest, or keeps it. Returns whether to read on: also behind a few small
 * chunks that nobody takes, so that a client which says something while its target is dialled, and resets, is seen to be gone.
 */
export const pass = (waiters: Waiters, bytes: Uint8Array): boolean => {
  const { reader } = waiters
  if (reader === undefined) {
    const ahead = (waiters.ahead ??= [])
    return ahead.push(bytes) < many && bytes.length < large
  }
  waiters.reader = reader.behind
  reader.resolve({ done: false, value: bytes })
  return true
}

/** Who waits to read hears that nothing comes: the peer has ended, or it broke. */
export const tellReaders = (waiters: Waiters, isEnded: boolean): void => {
  let { reader } = waiters
  waiters.reader = undefined
  for (; reader !== undefined; reader = reader.behind) {
    if (isEnded) reader.resolve(finished)
    else reader.reject(breakage(waiters))
  }
}

/** Who writes hears that it broke, and so does who asked to. */
export const tellWriters = (waiters: Waiters): void => {
  const error = breakage(waiters)
  const { writer, whenBroken } = waiters
  waiters.writer = undefined
  waiters.whenBroken = undefined
  waiters.whenDrained = undefined
  if (writer !== undefined) {
    writer.reject(error)
    letGo(writer.iterator)
  }
  whenBroken?.(error)
}

/** Whoever asked for that hears that there is room. */
export const tellDrained = (waiters: Waiters): void => {
  const { whenDrained } = waiters
  waiters.whenDrained = undefined
  whenDrained?.()
}

/** Who writes hears that all of it has left. */
export const tellWritten = (waiters: Waiters): void => {
  const { writer } = waiters
  waiters.writer = undefined
  writer?.resolve()
}

/** How an engine writes to its connections. */
export interface Writing<Connection> {
  readonly isClosed: (connection: Connection) => boolean
  /** Whether there is room for more. */
  readonly write: (connection: Connection, bytes: Uint8Array) => boolean
  readonly drained: (connection: Connection, act: () => void) => void
  /** Says the end, behind all that was written. */
  readonly finish: (connection: Connection) => void
  readonly abort: (connection: Connection, reason: unknown) => void
}

/** Makes a sink of that: writes all that a source says, as there is room, and then the end. */
export const consumer = <Connection extends Waiters>(
  writing: Writing<Connection>
): ((connection: Connection, source: AsyncIterable<Bytes>) => Promise<void>) => {
  const { isClosed, write, drained, finish, abort } = writing

  const pump = async (connection: Connection, iterator: AsyncIterator<Bytes>): Promise<void> => {
    for (;;) {
      const { done, value } = await iterator.next()
      if (isClosed(connection)) return
      if (done === true) return finish(connection)
      // A list is written as one, so that a message leaves in one segment.
      const bytes = value instanceof Uint8Array ? value : value.subarray()
      if (!write(connection, bytes)) await new Promise<void>((resolve) => drained(connection, resolve))
    }
  }

  return (connection, source) =>
    new Promise((resolve, reject) => {
      const iterator = source[Symbol.asyncIterator]()
      if (isClosed(connection)) {
        reject(breakage(connection))
        letGo(iterator)
        return
      }
      connection.writer = { iterator, resolve, reject }
      pump(connection, iterator).catch((error: unknown) => {
        connection.writer = undefined
        reject(error)
        abort(connection, error)
      })
    })
}

/** The first so many of bytes, as bytes of their own. From Node's pool: the first view of a small array of V8's own costs ten times as much. */
export const copyOf = (bytes: Uint8Array, length: number): Uint8Array => {
  const copy = Buffer.allocUnsafe(length)
  copy.set(bytes.subarray(0, length))
  return copy
}

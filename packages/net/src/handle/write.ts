import { writeSync } from 'node:fs'
import type { Bytes } from '@it-socks/stage'
import { systemError } from '../system-error.ts'
import { consumer, tellDrained, tellWritten } from '../waiters.ts'
import { breakOff, close, closeSoon, doom, reset } from './end.ts'
import { libuv, type Request, type WriteRequest } from './libuv.ts'
import type { State } from './state.ts'

/** Small arrays move about in V8's heap, where the kernel cannot find them: they leave from here. */
const output = new Uint8Array(16 * 1024)

/**
 * Sends bytes. What the kernel does not take waits, as a copy where they are `lent`: that is, the caller's again when this
 * returns. Returns whether nothing waits.
 */
export const give = (connection: State, bytes: Uint8Array, length: number, lent: boolean): boolean => {
  if (connection.saying !== 'bytes' || connection.error !== undefined || connection.isClosed) return false
  const sent = connection.waiting > 0 ? 0 : sendNow(connection, bytes, length)
  if (sent === length) return connection.waiting === 0
  if (connection.error !== undefined) return false
  const rest = bytes.subarray(sent, length)
  sendLater(connection, lent ? new Uint8Array(rest) : rest)
  return connection.error === undefined && connection.waiting === 0
}

/** Calls this once, as soon as nothing waits any more; not where it breaks before. */
export const drained = (connection: State, act: () => void): void => {
  if (connection.error !== undefined || connection.elsewhere !== undefined) return
  if (connection.waiting === 0) act()
  else connection.whenDrained = act
}

/** Says the end, once nothing waits. Where the peer has said its own, closing does that, too. */
export const finish = (connection: State): void => {
  if (connection.isClosed) return
  if (connection.waiting > 0) {
    connection.saying = 'the end, soon'
    return
  }
  if (connection.isEnded && !connection.isDiscarding) return close(connection)
  const request = new libuv!.Shutdown()
  request.owner = connection
  request.oncomplete = endSaid
  connection.saying = 'the end'
  // It fails where the peer has reset meanwhile: whoever reads hears of that.
  if (connection.handle.shutdown(request) !== 0) finished(connection)
}

/** Writes all that a source says, as there is room, and then the end. */
export const consume: (connection: State, source: AsyncIterable<Bytes>) => Promise<void> = consumer<State>({
  isClosed: ({ isClosed }) => isClosed,
  write: (connection, bytes) => give(connection, bytes, bytes.length, false),
  drained,
  finish: (connection) => {
    if (connection.error === undefined) finish(connection)
  },
  abort: reset
})

function endSaid(this: Request): void {
  finished(this.owner as State)
}

const finished = (connection: State): void => {
  if (connection.isClosed) return
  connection.saying = 'nothing'
  tellWritten(connection)
  if (connection.isDiscarding) closeSoon(connection)
  else if (connection.isEnded) close(connection)
}

/** Has the kernel take what it takes at once, and returns how much that was: nothing where there is no descriptor (Windows). */
const sendNow = (connection: State, bytes: Uint8Array, length: number): number => {
  const { fd = -1 } = connection.handle
  if (fd < 0) return 0
  try {
    if (bytes.length > output.length) return writeSync(fd, bytes, 0, length)
    output.set(bytes)
    return writeSync(fd, output, 0, length)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') doom(connection, error)
    return 0
  }
}

const sendLater = (connection: State, bytes: Uint8Array): void => {
  const request = new libuv!.Write()
  request.owner = connection
  request.bytes = bytes
  request.oncomplete = written
  const failure = connection.handle.writeBuffer(request, bytes)
  if (failure !== 0) doom(connection, systemError(failure, 'write'))
  else if (libuv!.wroteLater()) connection.waiting += bytes.length
}

function written(this: WriteRequest, status: number): void {
  const connection = this.owner as State
  if (connection.isClosed) return
  if (status < 0) return breakOff(connection, systemError(status, 'write'))
  connection.waiting -= this.bytes!.length
  if (connection.waiting === 0) roomAgain(connection)
}

const roomAgain = (connection: State): void => {
  if (connection.saying === 'the end, soon') finish(connection)
  tellDrained(connection)
  connection.peer?.forward()
}

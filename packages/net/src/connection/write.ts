import { writeNow } from '../write-now.ts'
import { copy, isBroken, type State } from './state.ts'

/**
 * Sends bytes. What the kernel does not take waits, as a copy where they are `lent`: that is, the caller's again when this
 * returns. Returns whether nothing waits.
 */
export const give = (connection: State, bytes: Uint8Array, length: number, lent: boolean): boolean => {
  const { socket } = connection
  const sent = socket.writableLength > 0 ? 0 : writeNow(socket, bytes, length)
  if (sent === length) return true
  if (socket.destroyed) return false
  const rest = lent ? copy(bytes, sent, length) : bytes.subarray(sent, length)
  connection.whenWritten ??= (error) => {
    // Where there is one nothing waits any more, for it could not be written.
    if (error === null || error === undefined) written(connection)
  }
  socket.write(rest, connection.whenWritten)
  return false
}

/** Calls this once, as soon as nothing waits any more; not where it breaks before. */
export const drained = (connection: State, act: () => void): void => {
  if (isBroken(connection)) return
  if (connection.socket.writableLength === 0) act()
  else connection.whenDrained = act
}

/** Says the end. Where the other has said its own, closing does that, too, and it takes two calls to the system less. */
export const finish = (connection: State): void => {
  const { socket } = connection
  if (!socket.readableEnded || socket.writableLength > 0) return void socket.end()
  connection.isFinished = !socket.destroyed
  socket.destroy()
}

const written = (connection: State): void => {
  if (connection.socket.writableLength > 0 || connection.socket.destroyed) return
  const act = connection.whenDrained
  connection.whenDrained = undefined
  act?.()
  connection.peer?.forward()
}

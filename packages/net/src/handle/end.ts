import type { Flow } from '@it-socks/stage'
import { breakage, tellReaders, tellWriters, tellWritten } from '../waiters.ts'
import type { TcpHandle } from './libuv.ts'
import type { State } from './state.ts'

/** It is over, and well so. */
export const close = (connection: State): void => {
  if (connection.isClosed) return
  connection.isClosed = true
  connection.whenBroken = undefined
  connection.handle.close()
  tellWritten(connection)
  // Both directions have ended; and where those of the other have, too, so has the relay.
  if (connection.peer?.isClosed === true) part(connection)?.ended()
}

/**
 * Closes it once what has come by now is read: left unread it would be a reset, and that may overtake what was said last.
 * Between the first turn and the second all that is there is read, whenever this one is called.
 */
export const closeSoon = (connection: State): void => void setImmediate(() => setImmediate(() => close(connection)))

/** It is over, for this reason: all whom it concerns hear of it now. */
export const breakOff = (connection: State, reason: unknown): void => {
  if (connection.isClosed) return
  connection.error ??= reason
  connection.isClosed = true
  connection.waiting = 0
  connection.handle.close()
  tellReaders(connection, connection.isEnded)
  tellWriters(connection)
  part(connection)?.failed(breakage(connection))
}

/** It is over, and they hear of it in a moment: who has called would not expect it before. */
export const doom = (connection: State, reason: unknown): void => {
  connection.error ??= reason
  queueMicrotask(() => breakOff(connection, reason))
}

/** Ends it at once; the peer hears of a reset, where there is such a thing. */
export const reset = (connection: State, reason: unknown): void => {
  if (connection.isClosed) return
  const { handle, saying } = connection
  // While its end is on the way libuv refuses to, and the descriptor would be lost for good.
  if ('reset' in handle && saying !== 'the end') (handle as TcpHandle).reset()
  breakOff(connection, reason)
}

/** The relay is over: whose it was, the first time. */
const part = (connection: State): Flow | undefined => {
  const { flow, peer } = connection
  if (peer !== undefined) {
    peer.flow = undefined
    peer.peer = undefined
  }
  connection.flow = undefined
  connection.peer = undefined
  return flow
}

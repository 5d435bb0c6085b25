import type { Flow } from '@it-socks/stage'
import type { Waiters } from '../waiters.ts'
import type { Handle } from './libuv.ts'

/** All there is of a connection: one object. What is done with it is in files of its own, `read.ts` and so on. */
export interface State extends Waiters {
  readonly handle: Handle
  /** Whether libuv reads it. */
  isReading: boolean
  /** Nothing comes any more that anybody reads. */
  isEnded: boolean
  /** What still comes is thrown away. */
  isDiscarding: boolean
  isClosed: boolean
  /** Whether its end is said: as soon as nothing waits, just now, or by now. */
  saying: 'bytes' | 'the end, soon' | 'the end' | 'nothing'
  /** How many bytes have been written and not sent. */
  waiting: number
  /** Who ends it, once it is detached. */
  elsewhere: ((reason: unknown) => void) | undefined
  /** Where what is read goes to, while it is joined; who hears of that, and as what. */
  peer: State | undefined
  flow: Flow | undefined
  direction: 'up' | 'down'
  /** Gives the peer what there is, and reads on: there is room again. */
  forward(): void
}

/** Whether nobody has to do with it but who asks. */
export const isWhole = (connection: State): boolean =>
  !connection.isClosed &&
  !connection.isDiscarding &&
  connection.error === undefined &&
  connection.saying === 'bytes' &&
  connection.reader === undefined &&
  connection.writer === undefined &&
  connection.peer === undefined

import type { Socket } from 'node:net'
import type { Flow } from '@it-socks/stage'
import type { Breakage } from '../breakage.ts'

export type Result = IteratorResult<Uint8Array, void>
export const finished: Result = { done: true, value: undefined }

/** Somebody who waits for bytes. */
export interface Reader {
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** All there is of a connection: one object. What is done with it is in files of its own, `read.ts` and so on. */
export interface State extends Breakage {
  socket: Socket
  /** Whether what it reads comes in the buffer that all share. */
  readonly isLent: boolean
  /** What was read and not taken, or given back. */
  ahead: Uint8Array[] | undefined
  readers: Reader[] | undefined
  /** Nothing comes any more that anybody reads. */
  isEnded: boolean
  isClosed: boolean
  /** It was closed in place of saying its end. */
  isFinished: boolean
  /** Its sink was called or its source returned. */
  isUsed: boolean
  whenDrained: (() => void) | undefined
  whenBroken: ((error: unknown) => void) | undefined
  /** What Node calls when it has written what had to wait; made when first it has to. */
  whenWritten: ((error?: Error | null) => void) | undefined
  /** Who ends it, once it is detached. */
  elsewhere: ((reason: unknown) => void) | undefined
  /** Where what is read goes to, while it is joined; who hears of that, and as what. */
  peer: State | undefined
  flow: Flow | undefined
  direction: 'up' | 'down'
  /** Gives the peer what there is, and reads on: there is room again. */
  forward(): void
}

/** Whether it has said and heard all. */
export const isClean = ({ socket, isFinished }: State): boolean =>
  socket.readableEnded && (socket.writableFinished || isFinished)

/** Whether nothing goes any more, be it that nobody has been told yet. */
export const isBroken = (connection: State): boolean =>
  (connection.socket.destroyed || connection.socket.errored !== null) && !isClean(connection)

/** Whether somebody has to do with it already, or has it. */
export const isTaken = ({ isUsed, peer, elsewhere, readers }: State): boolean =>
  isUsed || peer !== undefined || elsewhere !== undefined || (readers !== undefined && readers.length > 0)

export const copy = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  Buffer.from(bytes.subarray(start, end))

import type { Waiters } from '@it-socks/net/waiters'
import type { Flow } from '@it-socks/stage'
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLPRI, EPOLLRDHUP, type Watcher } from '@it-socks/syscall'

/** The kernel may have something to read. */
export const READABLE = 1
/** What is read short is not all there is to read: the peer's end comes behind it, or urgent data did. */
export const THOROUGH = 2
/** The end has been read, or nobody wants it any more. */
export const ENDED = 4
/** What comes is thrown away. */
export const DISCARDING = 8
/** Nothing more is written; the end goes out behind what waits. */
export const FINISHING = 16
/** The end has been sent. */
export const FINISHED = 32
/** Somebody else has the descriptor now, or nobody. */
export const JOINED = 64
export const CLOSED = 128
/** It is broken, and those whom it concerns are told in the next batch. */
export const DOOMED = 256
export const UNIX = 512
/** There may be urgent data, until nothing is left to read: who takes the descriptor over has to know. */
export const URGENT = 1024

/** All there is of a connection: one object. What is done with it is in files of its own, `read.ts` and so on. */
export interface State extends Watcher, Waiters {
  readonly fd: number
  flags: number
  /** What waits for room in the kernel, and how many bytes that is. */
  queue: Uint8Array[] | undefined
  queued: number
  /** Who ends it, where it is joined or is to be. */
  relay: { abort(reason: unknown): void } | undefined
  /** Who hears of the relay, of the client's side. */
  flow: Flow | undefined
}

/** Whether any of these is so. */
export const is = ({ flags }: State, any: number): boolean => (flags & any) !== 0

/** What the kernel's events say of what there is to read. */
export const readiness = (events: number): number => {
  let flags = 0
  if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) flags |= READABLE
  if ((events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) flags |= THOROUGH
  if ((events & EPOLLPRI) !== 0) flags |= URGENT
  return flags
}

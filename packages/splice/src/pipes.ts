import { F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK, allocate, close, fcntl, pipe2 } from '@it-socks/syscall'

/** A pipe(7), which bytes go through on their way from one socket to the other without leaving the kernel. */
export interface Pipe {
  /** Where it is read. */
  readonly exit: number
  /** Where it is written. */
  readonly entry: number
}

/** How much one pipe holds. More at a time saves calls; a user who is not root may have 64 MB of pipes. */
export const pipeSize: number = 262_144

/** So many may be in use: who does not read holds one, and must not come by all of our descriptors with a few of them. */
const most = 256
/** So many wait for the next who needs one. */
const spare = 16

const ends = allocate(8)
const free: Pipe[] = []
let lent = 0
let relays = 0

/** A relay begins: from here on pipes may wait for it. */
export const beginRelay = (): void => {
  relays += 1
}

/** A relay is over. The last one leaves no descriptor behind. */
export const endRelay = (): void => {
  relays -= 1
  if (relays === 0) for (const pipe of free.splice(0)) closePipe(pipe)
}

/** An empty pipe, or `undefined` where too many are in use, or there are no descriptors left. */
export const takePipe = (): Pipe | undefined => {
  if (lent >= most) return undefined
  const pipe = free.pop() ?? openPipe()
  if (pipe !== undefined) lent += 1
  return pipe
}

/** Gives a pipe back, which is empty again. */
export const returnPipe = (pipe: Pipe): void => {
  lent -= 1
  if (free.length < spare) free.push(pipe)
  else closePipe(pipe)
}

/** Gives a pipe back that something is left in. */
export const discardPipe = (pipe: Pipe): void => {
  lent -= 1
  closePipe(pipe)
}

const openPipe = (): Pipe | undefined => {
  if (pipe2(ends.address, O_CLOEXEC | O_NONBLOCK) < 0) return undefined
  const pipe = { exit: ends.view.getInt32(0, true), entry: ends.view.getInt32(4, true) }
  // Where it may not be so large, it is as large as it is.
  fcntl(pipe.entry, F_SETPIPE_SZ, pipeSize)
  return pipe
}

const closePipe = ({ exit, entry }: Pipe): void => {
  close(exit)
  close(entry)
}

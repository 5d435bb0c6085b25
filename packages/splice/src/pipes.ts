import { F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK, allocate, close, fcntl, pipe2 } from '@it-socks/syscall'

/** A pipe(7), which bytes go through on their way from one socket to the other without leaving the kernel. */
export interface Pipe {
  /** Where it is read. */
  readonly exit: number
  /** Where it is written. */
  readonly entry: number
}

/** How much one pipe holds: each time that bytes are moved wakes somebody up, which costs more than to move them. */
export const pipeSize: number = 1_048_576
/** With less than this it is cheaper to copy. */
const leastSize = 262_144

/**
 * So many may be in use. A user who is not root may have 64 MB of pipes; and who does not read holds one, and must not come
 * by all of our descriptors with a few of them.
 */
const most = 64
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

/** An empty pipe, or `undefined` where too many are in use, or there are no descriptors or no memory for one. */
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
  if (fcntl(pipe.entry, F_SETPIPE_SZ, pipeSize) >= 0 || fcntl(pipe.entry, F_SETPIPE_SZ, leastSize) >= 0) return pipe
  closePipe(pipe)
  return undefined
}

const closePipe = ({ exit, entry }: Pipe): void => {
  close(exit)
  close(entry)
}

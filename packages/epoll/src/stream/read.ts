import {
  breakage,
  copyOf,
  finished,
  pass,
  takeAhead,
  tellReaders,
  waitToRead,
  type Result
} from '@it-socks/net/waiters'
import { EAGAIN, EINTR, allocate, loop, recv, systemError } from '@it-socks/syscall'
import { takeError } from '../options.ts'
import { breakOff, close } from './end.ts'
import { CLOSED, DISCARDING, ENDED, FINISHED, JOINED, READABLE, THOROUGH, URGENT, is, type State } from './state.ts'

/** Where everything that is received comes first, so that nobody allocates for what has not come. */
const input = allocate(64 * 1024)
/** So many reads are thrown away before others have their turn. */
const discardedAtOnce = 16

/** The next bytes: those that were given back, or what the kernel has; else whoever asks waits. */
export const next = (stream: State): Promise<Result> => {
  const value = takeAhead(stream)
  if (value !== undefined) return Promise.resolve({ done: false, value })
  if (is(stream, READABLE) && stream.reader === undefined && !is(stream, ENDED | CLOSED | JOINED)) {
    const chunk = receive(stream)
    if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk })
  }
  if (is(stream, ENDED)) return Promise.resolve(finished)
  if (is(stream, CLOSED)) return Promise.reject(breakage(stream))
  return waitToRead(stream)
}

/** Gives those who wait what has come. */
export const serveReaders = (stream: State): void => {
  while (stream.reader !== undefined && is(stream, READABLE)) {
    const value = receive(stream)
    if (value === undefined) break
    pass(stream, value)
  }
}

/** Nobody wants what comes any more. */
export const stopReading = (stream: State): void => {
  stream.ahead = undefined
  if (is(stream, ENDED)) return
  stream.flags |= ENDED
  tellReaders(stream, true)
  if (is(stream, CLOSED | JOINED)) return
  // What still comes is thrown away, until the end or until nobody writes either: else it would never close.
  stream.flags |= DISCARDING
  if (is(stream, FINISHED)) closeRead(stream)
  else if (is(stream, READABLE)) loop.again(stream)
}

/** Throws away what comes, as much as is one's turn. */
export const discard = (stream: State): void => {
  for (let turns = 0; turns < discardedAtOnce; turns++) {
    if (!is(stream, READABLE) || is(stream, CLOSED)) return
    if (receiveInto(stream) === 0) return endReading(stream)
  }
  loop.again(stream)
}

/** Closes it once what has come by now is read: left unread it would be a reset, which may overtake what was said last. */
export const closeRead = (stream: State): void => {
  for (let turns = 0; turns < discardedAtOnce; turns++) if (receiveInto(stream) <= 0) break
  if (!is(stream, CLOSED)) close(stream)
}

/** Reads what has come, for later. It is no more than the kernel has room for: the peer says no more. */
const readAhead = (stream: State): void => {
  while (is(stream, READABLE) && !is(stream, ENDED | CLOSED | JOINED)) {
    const chunk = receive(stream)
    if (chunk !== undefined) (stream.ahead ??= []).push(chunk)
  }
}

/** The kernel says that it is broken. Those who read later hear first what came before that. */
export const fail = (stream: State): void => {
  readAhead(stream)
  if (is(stream, CLOSED | JOINED)) return
  const errno = takeError(stream.fd)
  if (errno !== 0) breakOff(stream, systemError(errno, 'read'))
}

/** What the kernel has for us; nothing where there is nothing yet, at the end, and where it breaks. */
const receive = (stream: State): Uint8Array | undefined => {
  const length = receiveInto(stream)
  if (length > 0) return copyOf(input.bytes, length)
  if (length === 0) endReading(stream)
  return undefined
}

/** How many bytes came to `input`; 0 at the end; negative where there is nothing yet, or it broke. */
const receiveInto = (stream: State): number => {
  let length = recv(stream.fd, input.address, input.bytes.length, 0)
  while (length === -EINTR) length = recv(stream.fd, input.address, input.bytes.length, 0)
  if (length > 0) {
    // A full buffer may be followed by more; a short one may not, and whatever comes later is told of.
    if (length < input.bytes.length && !is(stream, THOROUGH)) stream.flags &= ~READABLE
  } else if (length === -EAGAIN) stream.flags &= ~(READABLE | URGENT)
  else if (length < 0) breakOff(stream, systemError(length, 'read'))
  return length
}

const endReading = (stream: State): void => {
  stream.flags = (stream.flags | ENDED) & ~(READABLE | DISCARDING)
  tellReaders(stream, true)
  if (is(stream, FINISHED)) close(stream)
}

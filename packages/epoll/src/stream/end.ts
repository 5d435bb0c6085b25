import { tellReaders, tellWriters } from '@it-socks/net/waiters'
import { loop } from '@it-socks/syscall'
import { closeDescriptor } from '../descriptors.ts'
import { resetOnClose } from '../options.ts'
import { CLOSED, DISCARDING, DOOMED, ENDED, JOINED, UNIX, is, type State } from './state.ts'

/** It is over, and well so. */
export const close = (stream: State): void => {
  stream.flags = (stream.flags | CLOSED) & ~DISCARDING
  stream.whenBroken = undefined
  closeDescriptor(stream.fd)
}

/** It is over, for this reason: all whom it concerns hear of it now. */
export const breakOff = (stream: State, reason: unknown): void => {
  if (is(stream, CLOSED)) return
  stream.error ??= reason
  stream.flags = (stream.flags | CLOSED) & ~DISCARDING
  stream.queue = undefined
  stream.queued = 0
  closeDescriptor(stream.fd)
  tellReaders(stream, is(stream, ENDED))
  tellWriters(stream)
}

/** It is over, and they hear of it in the next batch: who has called would not expect it before. */
export const doom = (stream: State, reason: unknown): void => {
  stream.error ??= reason
  stream.flags |= DOOMED
  loop.again(stream)
}

/** Ends it at once; the peer hears of a reset, where there is such a thing. */
export const reset = (stream: State, reason: unknown): void => {
  if (is(stream, CLOSED)) return
  if (!is(stream, UNIX)) resetOnClose(stream.fd)
  breakOff(stream, reason)
}

/** Who asked to be told that it is broken when it was. */
export const tellWhoCameLate = (stream: State): void => {
  if (stream.whenBroken !== undefined && !is(stream, JOINED)) tellWriters(stream)
}

import { ClosedError } from '@it-socks/protocol'
import { letGo } from '@it-socks/stage'
import { loop } from '@it-socks/syscall'
import { closeDescriptor } from '../descriptors.ts'
import { resetOnClose } from '../options.ts'
import { CLOSED, DISCARDING, DOOMED, ENDED, JOINED, UNIX, finished, is, type State } from './state.ts'

/** Why it is over, for whoever comes late, too. */
export const breakage = (stream: State): unknown => (stream.error ??= new ClosedError())

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
  settleReaders(stream)
  tellWriters(stream, breakage(stream))
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

/** Whoever waits for something to read hears that nothing comes. */
export const settleReaders = (stream: State): void => {
  let { reader } = stream
  stream.reader = undefined
  for (; reader !== undefined; reader = reader.behind) {
    if (is(stream, ENDED)) reader.resolve(finished)
    else reader.reject(breakage(stream))
  }
}

/** Who asked to be told that it is broken when it was. */
export const tellWhoCameLate = (stream: State): void => {
  if (stream.whenBroken !== undefined && !is(stream, JOINED)) tellWriters(stream, breakage(stream))
}

const tellWriters = (stream: State, error: unknown): void => {
  const { writer, whenBroken } = stream
  stream.writer = undefined
  stream.whenBroken = undefined
  stream.whenDrained = undefined
  if (writer !== undefined) {
    writer.reject(error)
    letGo(writer.iterator)
  }
  whenBroken?.(error)
}

import { consumer, tellDrained, tellWritten } from '@it-socks/net/waiters'
import type { Bytes } from '@it-socks/stage'
import {
  EAGAIN,
  EINTR,
  MSG_NOSIGNAL,
  SHUT_WR,
  addressOf,
  allocate,
  send,
  shutdown,
  systemError
} from '@it-socks/syscall'
import { close, doom, reset } from './end.ts'
import { closeRead } from './read.ts'
import { CLOSED, DISCARDING, DOOMED, ENDED, FINISHED, FINISHING, JOINED, is, type State } from './state.ts'

/** Small arrays move about in V8's heap, where the kernel cannot find them: they leave from here. */
const output = allocate(16 * 1024)

/** Sends bytes. What the kernel does not take waits, as a copy. */
export const write = (stream: State, bytes: Bytes): void => {
  if (is(stream, FINISHING | JOINED | CLOSED | DOOMED)) return
  const array = bytes instanceof Uint8Array ? bytes : bytes.subarray()
  const taken = stream.queued > 0 ? 0 : sendNow(stream, array)
  if (taken === array.length || is(stream, DOOMED)) return
  stream.queue ??= []
  // Buffer's own `slice` would be no copy.
  stream.queue.push(new Uint8Array(taken === 0 ? array : array.subarray(taken)))
  stream.queued += array.length - taken
}

/** Calls this once, as soon as nothing waits any more; not where it breaks before. */
export const drained = (stream: State, act: () => void): void => {
  if (stream.error !== undefined) return
  if (stream.queued === 0) act()
  else stream.whenDrained = act
}

/** Sends what waits, as far as there is room. */
export const flush = (stream: State): void => {
  const queue = stream.queue!
  while (queue.length > 0) {
    const [first] = queue as [Uint8Array]
    const sent = sendNow(stream, first)
    if (is(stream, DOOMED)) return
    stream.queued -= sent
    if (sent < first.length) {
      queue[0] = first.subarray(sent)
      return
    }
    queue.shift()
  }
  stream.queue = undefined
  if (is(stream, FINISHING)) return finish(stream)
  tellDrained(stream)
}

/** Writes all that a source says, as there is room, and then the end. */
export const consume: (stream: State, source: AsyncIterable<Bytes>) => Promise<void> = consumer<State>({
  isClosed: (stream) => is(stream, CLOSED),
  write: (stream, bytes) => {
    write(stream, bytes)
    return stream.queued === 0
  },
  drained,
  finish: (stream) => {
    stream.flags |= FINISHING
    if (stream.queued === 0 && !is(stream, DOOMED)) finish(stream)
  },
  abort: reset
})

const finish = (stream: State): void => {
  // It fails where the peer has reset meanwhile: whoever reads hears of that.
  shutdown(stream.fd, SHUT_WR)
  stream.flags |= FINISHED
  tellWritten(stream)
  if (is(stream, DISCARDING)) closeRead(stream)
  else if (is(stream, ENDED)) close(stream)
}

/** Sends as much as the kernel takes now; where it takes nothing ever again, that is told in the next batch. */
const sendNow = (stream: State, array: Uint8Array): number => {
  let sent = 0
  while (sent < array.length) {
    const taken = sendArray(stream.fd, sent === 0 ? array : array.subarray(sent))
    if (taken >= 0) sent += taken
    else if (taken === -EAGAIN) break
    else if (taken !== -EINTR) {
      doom(stream, systemError(taken, 'write'))
      break
    }
  }
  return sent
}

const sendArray = (fd: number, array: Uint8Array): number => {
  if (array.length > output.bytes.length) return send(fd, addressOf(array), array.length, MSG_NOSIGNAL)
  output.bytes.set(array)
  return send(fd, output.address, array.length, MSG_NOSIGNAL)
}

import { measure, truncate, type Message } from '@it-socks/protocol'
import { Uint8ArrayList } from 'uint8arraylist'
import type { Bytes } from './duplex.ts'

/** Reads messages from a byte stream, on demand and no further: what is not read stays for whoever comes next. */
export interface Frames {
  /** What it reads from. */
  readonly source: AsyncIterable<Bytes>
  /**
   * Reads one message. Never holds more than the message and the rest of the chunk in which it ended.
   *
   * @throws {MalformedError} for bytes that the RFC does not allow; `TruncatedError` where the stream ends too early
   */
  read<T>(message: Message<T>): Promise<T>
  /**
   * Looks at what comes next without reading it. Fewer than `length` bytes come of it only where the stream has ended.
   */
  peek(length: number): Promise<Uint8Array>
  /**
   * Resolves when the peer has half-closed, for stages that wait for something else than the peer. Looks ahead no further
   * than 64 KiB, and no longer than until somebody takes the rest: behind that it sees nothing.
   */
  ended(): Promise<void>
  /** All that has not been read, starting with what came glued to the last message. Takes the stream: read no more. */
  rest(): AsyncIterable<Bytes>
  /** A reader of what `transform` makes of the rest: for methods that decipher everything after them. */
  through(transform: (rest: AsyncIterable<Bytes>) => AsyncIterable<Bytes>): Frames
}

const lookahead = 64 * 1024

const finished: IteratorResult<Bytes, void> = { done: true, value: undefined }

/** Makes a frame reader of a byte source. Nothing is pulled before the first `read`. */
export const readFrames = (source: AsyncIterable<Bytes>): Frames => {
  const iterator = source[Symbol.asyncIterator]()
  const unread = new Uint8ArrayList()

  let pulling: Promise<boolean> | undefined
  let taken = false

  /**
   * Whether another chunk came. Whoever looked ahead and left has not taken it along, nor the end or the failure: the next
   * one waits for the same.
   */
  const pull = (): Promise<boolean> =>
    (pulling ??= iterator.next().then(({ done, value }) => {
      if (done === true) return false
      unread.append(value)
      pulling = undefined
      return true
    }))

  const mayLookAhead = (): boolean => !taken && unread.byteLength < lookahead

  const takeAll = (): IteratorResult<Bytes, void> => {
    const value = unread.sublist()
    unread.consume(value.byteLength)
    return { done: false, value }
  }

  // No generator: one that is returned before its first chunk, or at it, would leave the source open.
  const rest: AsyncIterableIterator<Bytes> = {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      if (unread.byteLength > 0) return Promise.resolve(takeAll())
      if (pulling !== undefined) return pulling.then((more) => (more ? rest.next() : finished))
      return iterator.next()
    },
    async return() {
      unread.consume(unread.byteLength)
      await iterator.return?.()
      return finished
    }
  }

  const reader: Frames = {
    source,
    async read(message) {
      const decoding = message.decode()
      let read = 0
      let step = decoding.next()
      while (step.done !== true) {
        const part = step.value
        let length = measure(part, unread)
        while (length === undefined) {
          if (!(await pull())) truncate(decoding, message.name, part, read + unread.byteLength)
          length = measure(part, unread)
        }
        const bytes = unread.subarray(0, length)
        unread.consume(length)
        read += length
        step = decoding.next(bytes)
      }
      return step.value
    },
    async peek(length) {
      while (unread.byteLength < length && (await pull()));
      return unread.subarray(0, Math.min(length, unread.byteLength))
    },
    async ended() {
      while (mayLookAhead()) if (!(await pull())) return
      return new Promise(() => {})
    },
    rest() {
      taken = true
      return rest
    },
    through: (transform) => readFrames(transform(reader.rest()))
  }
  return reader
}

import { truncate, type Message } from '@it-socks/protocol'
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
  /** All that has not been read, starting with what came glued to the last message. Takes the stream: read no more. */
  rest(): AsyncIterable<Bytes>
  /** A reader of what `transform` makes of the rest: for methods that decipher everything after them. */
  through(transform: (rest: AsyncIterable<Bytes>) => AsyncIterable<Bytes>): Frames
}

/** Makes a frame reader of a byte source. Nothing is pulled before the first `read`. */
export const readFrames = (source: AsyncIterable<Bytes>): Frames => {
  const iterator = source[Symbol.asyncIterator]()
  const unread = new Uint8ArrayList()

  const pull = async (): Promise<boolean> => {
    const { done, value } = await iterator.next()
    if (done === true) return false
    unread.append(value)
    return true
  }

  // No generator: one that is returned before its first chunk, or at it, would leave the source open.
  const rest: AsyncIterableIterator<Bytes> = {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      if (unread.byteLength === 0) return iterator.next()
      const value = unread.sublist()
      unread.consume(value.byteLength)
      return Promise.resolve({ done: false, value })
    },
    async return() {
      unread.consume(unread.byteLength)
      await iterator.return?.()
      return { done: true, value: undefined }
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
        while (unread.byteLength < part.length) {
          if (!(await pull())) truncate(decoding, message.name, part, read + unread.byteLength)
        }
        const bytes = unread.subarray(0, part.length)
        unread.consume(part.length)
        read += part.length
        step = decoding.next(bytes)
      }
      return step.value
    },
    rest: () => rest,
    through: (transform) => readFrames(transform(rest))
  }
  return reader
}

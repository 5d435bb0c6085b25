import { Cursor, incomplete, type Message } from '@it-socks/protocol'
import { Uint8ArrayList } from 'uint8arraylist'
import type { Bytes } from './duplex.ts'
import { keepSpecimens } from './specimens.ts'

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
   * The same without waiting: `undefined` where the message has not come whole, and then nothing has been read.
   *
   * @throws {MalformedError} for bytes that the RFC does not allow
   */
  readNow<T extends {}>(message: Message<T>): T | undefined
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
  /**
   * Lets go of the source, for whoever goes on with that, and gives what was pulled from it and not read. `undefined`
   * where somebody waits for a chunk: that one could not be given back. Read no more.
   */
  release(): Bytes | undefined
  /** A reader of what `transform` makes of the rest: for methods that decipher everything after them. */
  through(transform: (rest: AsyncIterable<Bytes>) => AsyncIterable<Bytes>): Frames
}

const lookahead = 64 * 1024
const noBytes = new Uint8Array()
const finished: IteratorResult<Bytes, void> = { done: true, value: undefined }
const isMore = (more: boolean): boolean => more
/** What comes of a message that is not there whole. */
const notYet: unique symbol = Symbol('not yet')

/** Makes a frame reader of a byte source. Nothing is pulled before the first `read`. */
export const readFrames = (source: AsyncIterable<Bytes>): Frames => new Reader(source)

class Reader implements Frames {
  readonly source: AsyncIterable<Bytes>
  #iterator: AsyncIterator<Bytes> | undefined = undefined
  /** In one piece, for the decoders: what comes next, from `#from` on … */
  #head: Uint8Array = noBytes
  #from = 0
  /** … and what has come behind it, where it was not yet needed. */
  #behind: Uint8ArrayList | undefined = undefined
  /** What the iterator is asked for. It stays where that is the end or a failure: whoever asks next waits for the same. */
  #pulling: Promise<IteratorResult<Bytes>> | undefined = undefined
  #taken = false

  constructor(source: AsyncIterable<Bytes>) {
    this.source = source
  }

  // No async function where a message comes whole, as most do: it would be one more promise to wait for.
  read<T>(message: Message<T>): Promise<T> {
    if (this.#unread > 0) return this.#readOn(message)
    return this.#pull((more) => {
      const read = this.#decode(message, !more)
      return read === notYet ? this.#readOn(message) : read
    })
  }

  readNow<T extends {}>(message: Message<T>): T | undefined {
    const read = this.#unread === 0 ? notYet : this.#decode(message, false)
    return read === notYet ? undefined : read
  }

  peek(length: number): Promise<Uint8Array> {
    if (this.#has(length)) return Promise.resolve(this.#front(length))
    return this.#pull(() => (this.#has(length) ? this.#front(length) : this.#peekOn(length)))
  }

  async ended(): Promise<void> {
    while (!this.#taken && this.#unread < lookahead) if (!(await this.#pull(isMore))) return
    return new Promise(() => {})
  }

  rest(): AsyncIterable<Bytes> {
    this.#taken = true
    return new Rest(
      () => this.#nextOfRest(),
      () => this.#close()
    )
  }

  release(): Bytes | undefined {
    if (this.#pulling !== undefined) return undefined
    this.#taken = true
    return this.#takeAll()
  }

  through(transform: (rest: AsyncIterable<Bytes>) => AsyncIterable<Bytes>): Frames {
    return readFrames(transform(this.rest()))
  }

  async #readOn<T>(message: Message<T>): Promise<T> {
    for (let isAll = false; ; isAll = !(await this.#pull(isMore))) {
      const read = this.#decode(message, isAll)
      if (read !== notYet) return read
    }
  }

  /** @param isAll whether no more will come */
  #decode<T>(message: Message<T>, isAll: boolean): T | typeof notYet {
    for (;;) {
      const cursor = new Cursor(message.name, this.#head, isAll, this.#from)
      try {
        const value = message.decode(cursor)
        this.#from = cursor.offset
        return value
      } catch (error) {
        if (error !== incomplete) throw error
      }
      if (!this.#gather()) return notYet
    }
  }

  async #peekOn(length: number): Promise<Uint8Array> {
    while (!this.#has(length) && (await this.#pull(isMore)));
    return this.#front(length)
  }

  #front(length: number): Uint8Array {
    return this.#head.subarray(this.#from, this.#from + length)
  }

  #has(length: number): boolean {
    return this.#head.length - this.#from >= length || (this.#gather() && this.#has(length))
  }

  get #unread(): number {
    return this.#head.length - this.#from + (this.#behind?.byteLength ?? 0)
  }

  /** Puts into one piece what is there. @returns whether that made it longer */
  #gather(): boolean {
    const behind = this.#behind
    if (behind === undefined || behind.byteLength === 0) return false
    behind.prepend(this.#head.subarray(this.#from))
    this.#head = behind.subarray()
    this.#from = 0
    this.#behind = undefined
    return true
  }

  /**
   * Goes on when another chunk has come, or none will. Whoever looked ahead and left has not taken it along: of all who wait
   * for it, the first to hear of it puts it to the rest.
   */
  #pull<T>(act: (more: boolean) => T | Promise<T>): Promise<T> {
    this.#iterator ??= this.source[Symbol.asyncIterator]()
    const pulling = (this.#pulling ??= this.#iterator.next())
    return pulling.then(({ done, value }) => {
      if (done === true) return act(false)
      if (this.#pulling === pulling) {
        this.#pulling = undefined
        this.#put(value)
      }
      return act(true)
    })
  }

  #put(bytes: Bytes): void {
    if (this.#unread === 0) {
      this.#head = bytes instanceof Uint8Array ? bytes : bytes.subarray()
      this.#from = 0
    } else (this.#behind ??= new Uint8ArrayList()).append(bytes)
  }

  #takeAll(): Bytes {
    const rest = this.#from === 0 ? this.#head : this.#head.subarray(this.#from)
    const behind = this.#behind
    this.#head = noBytes
    this.#from = 0
    this.#behind = undefined
    if (behind === undefined) return rest
    behind.prepend(rest)
    return behind
  }

  #nextOfRest(): Promise<IteratorResult<Bytes, void>> {
    if (this.#unread > 0) return Promise.resolve({ done: false, value: this.#takeAll() })
    if (this.#pulling !== undefined) return this.#pull((more) => (more ? this.#nextOfRest() : finished))
    this.#iterator ??= this.source[Symbol.asyncIterator]()
    return this.#iterator.next()
  }

  async #close(): Promise<void> {
    this.#takeAll()
    this.#iterator ??= this.source[Symbol.asyncIterator]()
    await this.#iterator.return?.()
  }
}

/** Bytes of nobody. */
export const nothing: AsyncIterable<Bytes> = { [Symbol.asyncIterator]: () => ({ next: async () => finished }) }
keepSpecimens(new Reader(nothing), new Cursor('', noBytes, true))

/** No generator: one that is returned before its first chunk, or at it, would leave the source open. */
class Rest implements AsyncIterableIterator<Bytes> {
  readonly next: () => Promise<IteratorResult<Bytes, void>>
  readonly #close: () => Promise<void>

  constructor(next: () => Promise<IteratorResult<Bytes, void>>, close: () => Promise<void>) {
    this.next = next
    this.#close = close
  }

  async return(): Promise<IteratorResult<Bytes, void>> {
    await this.#close()
    return finished
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

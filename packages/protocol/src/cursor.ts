import { TruncatedError } from './errors.ts'
import { measure, type Part, type Parts } from './fields/field.ts'

/** Thrown where more bytes have to come first: decoding starts anew then, for a message is short and most come whole. */
export const incomplete: Error = new Error('more bytes have to come')

/** Reads the parts of a message from bytes, which start with it. */
export class Cursor implements Parts {
  readonly #message: string
  readonly #bytes: Uint8Array
  readonly #isAll: boolean
  readonly #start: number
  /** Where the next part starts. */
  offset: number

  /**
   * @param message what to call it
   * @param isAll whether no more will come: where they end too early that is a `TruncatedError` then, and else `incomplete`
   * @param start where in `bytes` the message starts
   */
  constructor(message: string, bytes: Uint8Array, isAll: boolean, start = 0) {
    this.#message = message
    this.#bytes = bytes
    this.#isAll = isAll
    this.#start = start
    this.offset = start
  }

  number(part: Part): number {
    const end = this.offset + part.length
    if (end > this.#bytes.length) return this.#fail(part)
    let number = 0
    while (this.offset < end) number = number * 256 + this.#bytes[this.offset++]!
    return number
  }

  take(part: Part): Uint8Array {
    const start = this.offset
    const length = measure(part, start === 0 ? this.#bytes : this.#bytes.subarray(start))
    if (length === undefined) return this.#fail(part)
    this.offset = start + length
    return this.#bytes.subarray(start, this.offset)
  }

  #fail({ name }: Part): never {
    throw this.#isAll ? new TruncatedError(this.#message, name, this.#bytes.length - this.#start) : incomplete
  }
}

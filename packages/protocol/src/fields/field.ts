/** What a decoder asks for next: `length` bytes (at least 1) that the RFC calls `name`. */
export interface Part {
  readonly name: string
  readonly length: number
  /** What these bytes say, for people. */
  readonly meaning: (bytes: Uint8Array) => string
}

/**
 * A decoder at work: it yields the part that it needs next, is resumed with exactly those bytes, and returns what they
 * mean. No socket, no promise, no clock. It throws a `MalformedError` for bytes that the RFC does not allow.
 */
export type Decoding<T> = Generator<Part, T, Uint8Array>

/** One field of a message, or a few that belong together: read and written as one value. */
export interface Field<T> {
  decode(): Decoding<T>
  /** @throws {SocksError} for a value that the field cannot hold */
  encode(value: T): ArrayLike<number>
}

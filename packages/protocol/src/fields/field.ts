/** What a decoder asks for next: bytes (at least 1) that the RFC calls `name`. */
export interface Part {
  readonly name: string
  /** How many. Of a part that `ending` ends: how many at most, with that byte. */
  readonly length: number
  /** The byte that ends it, where no length before it says how long it is. */
  readonly ending?: number
  /** What these bytes say, for people. */
  readonly meaning: (bytes: Uint8Array) => string
}

/** What a decoder takes its parts from: no socket, no promise, no clock. */
export interface Parts {
  /** The bytes of the part that comes next. Throws where they are not there, and the decoder does not catch that. */
  take(part: Part): Uint8Array
  /** The same for a part of a few bytes that are a number, high byte first. */
  number(part: Part): number
}

/** How many of `bytes` are the part; `undefined` where more have to come first. */
export const measure = (
  { length, ending }: Part,
  bytes: { readonly byteLength: number; subarray(from: number, to: number): Uint8Array }
): number | undefined => {
  const available = Math.min(length, bytes.byteLength)
  const end = ending === undefined ? -1 : bytes.subarray(0, available).indexOf(ending)
  if (end !== -1) return end + 1
  return available < length ? undefined : length
}

/** One field of a message, or a few that belong together: read and written as one value. */
export interface Field<T> {
  /** @throws {MalformedError} for bytes that the RFC does not allow */
  decode(parts: Parts): T
  /** @throws {SocksError} for a value that the field cannot hold */
  encode(value: T): ArrayLike<number>
}

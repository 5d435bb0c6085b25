import { MalformedError, TruncatedError } from './errors.ts'
import { measure, type Decoding, type Field, type Part } from './fields/field.ts'

/** One row of a dissection: a field as it lies in the bytes. */
export interface Dissected {
  /** The field's name in the RFC. */
  readonly name: string
  /** Where it starts, in bytes from the start of the message. */
  readonly offset: number
  /** How many bytes it has. */
  readonly length: number
  /** What it says; secrets are hidden. */
  readonly meaning: string
}

/** A message of the protocol: how it is read, written and explained, from one definition. */
export interface Message<T> {
  /** What to call it in a sentence: `request`, `method selection` … */
  readonly name: string
  /** Starts reading one message. */
  decode(): Decoding<T>
  /** Writes one message. @throws {SocksError} for a value that the message cannot hold */
  encode(value: T): Uint8Array<ArrayBuffer>
}

/** The fields of a message in their order: bare where they hold no value, else with the key they have in `T`. */
export type Layout<T> = ReadonlyArray<Field<void> | { [K in keyof T]: readonly [K, Field<T[K]>] }[keyof T]>

const isBare = <T>(entry: Layout<T>[number]): entry is Field<void> => 'decode' in entry

/** Defines a message by its fields. */
export const message = <T extends object>(name: string, layout: Layout<T>): Message<T> => ({
  name,
  *decode() {
    const value: Partial<T> = {}
    try {
      for (const entry of layout) {
        if (isBare(entry)) yield* entry.decode()
        else value[entry[0]] = yield* entry[1].decode()
      }
    } catch (error) {
      if (error instanceof MalformedError) error.within = { message: name, fields: { ...value } }
      throw error
    }
    return value as T
  },
  encode(value) {
    const fields = layout.map((entry) => (isBare(entry) ? entry.encode() : entry[1].encode(value[entry[0]])))
    const bytes = new Uint8Array(fields.reduce((length, field) => length + field.length, 0))
    let offset = 0
    for (const field of fields) {
      bytes.set(field, offset)
      offset += field.length
    }
    return bytes
  }
})

/** Tells a decoder that its bytes ended in `part`, `received` bytes into the message: it throws a {@link TruncatedError}. */
export const truncate = <T>(decoding: Decoding<T>, name: string, part: Part, received: number): never => {
  decoding.throw(new TruncatedError(name, part.name, received))
  throw new Error(`the decoder of the ${name} went on after its bytes had ended`)
}

/**
 * Reads one message from the start of `bytes`; `length` is how many of them it took.
 *
 * @throws {MalformedError} for bytes that the RFC does not allow, {@link TruncatedError} where they end too early
 *
 * @example
 *
 * ```ts
 * import { decode, greeting } from '@it-socks/protocol'
 *
 * decode(greeting, Uint8Array.of(5, 1, 0)) // => { value: { methods: [0] }, length: 3 }
 * ```
 */
export const decode = <T>(message: Message<T>, bytes: Uint8Array): { value: T; length: number } => {
  const decoding = message.decode()
  let offset = 0
  let step = decoding.next()
  while (step.done !== true) {
    const part = step.value
    const length = measure(part, bytes.subarray(offset)) ?? truncate(decoding, message.name, part, bytes.length)
    step = decoding.next(bytes.subarray(offset, (offset += length)))
  }
  return { value: step.value, length: offset }
}

/**
 * Names every field in `bytes`, up to where the message ends, the bytes end or the RFC is broken: the table that logs,
 * errors and documentation show.
 *
 * @example
 *
 * ```ts
 * import { dissect, methodSelection } from '@it-socks/protocol'
 *
 * dissect(methodSelection, Uint8Array.of(5, 0xff))
 * // => [
 * //   { name: 'VER', offset: 0, length: 1, meaning: 'version 5' },
 * //   { name: 'METHOD', offset: 1, length: 1, meaning: 'no acceptable methods' }
 * // ]
 * ```
 */
export const dissect = <T>(message: Message<T>, bytes: Uint8Array): Dissected[] => {
  const rows: Dissected[] = []
  const watched: Message<T> = {
    ...message,
    *decode() {
      const decoding = message.decode()
      let offset = 0
      let step = decoding.next()
      while (step.done !== true) {
        const part = step.value
        const received = yield part
        rows.push({ name: part.name, offset, length: received.length, meaning: part.meaning(received) })
        offset += received.length
        step = decoding.next(received)
      }
      return step.value
    }
  }
  try {
    decode(watched, bytes)
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
  }
  return rows
}

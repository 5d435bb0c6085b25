import { Cursor } from './cursor.ts'
import { MalformedError } from './errors.ts'
import type { Field, Part, Parts } from './fields/field.ts'

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
  /** Reads one message. @throws {MalformedError} for bytes that the RFC does not allow, and what `parts` throws */
  decode(parts: Parts): T
  /** Writes one message. @throws {SocksError} for a value that the message cannot hold */
  encode(value: T): Uint8Array<ArrayBuffer>
}

/** The fields of a message in their order: bare where they hold no value, else with the key they have in `T`. */
export type Layout<T> = ReadonlyArray<Field<void> | { [K in keyof T]: readonly [K, Field<T[K]>] }[keyof T]>

const isBare = <T>(entry: Layout<T>[number]): entry is Field<void> => !Array.isArray(entry)

/** Defines a message by its fields. */
export const message = <T extends object>(name: string, layout: Layout<T>): Message<T> => ({
  name,
  decode(parts) {
    const value: Partial<T> = {}
    try {
      for (let index = 0; index < layout.length; index++) {
        const entry = layout[index]!
        if (isBare(entry)) entry.decode(parts)
        else value[entry[0]] = entry[1].decode(parts)
      }
    } catch (error) {
      if (error instanceof MalformedError) error.within = { message: name, fields: { ...value } }
      throw error
    }
    return value as T
  },
  encode(value) {
    const bytes: number[] = []
    for (const entry of layout) {
      const field = isBare(entry) ? entry.encode() : entry[1].encode(value[entry[0]])
      for (let index = 0; index < field.length; index++) bytes.push(field[index]!)
    }
    return new Uint8Array(bytes)
  }
})

/**
 * Reads one message from the start of `bytes`; `length` is how many of them it took.
 *
 * @throws {MalformedError} for bytes that the RFC does not allow, `TruncatedError` where they end too early
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
  const cursor = new Cursor(message.name, bytes, true)
  return { value: message.decode(cursor), length: cursor.offset }
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
  try {
    message.decode(new Dissecting(message.name, bytes, rows))
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
  }
  return rows
}

/** Notes down what is taken. */
class Dissecting implements Parts {
  readonly #cursor: Cursor
  readonly #rows: Dissected[]

  constructor(message: string, bytes: Uint8Array, rows: Dissected[]) {
    this.#cursor = new Cursor(message, bytes, true)
    this.#rows = rows
  }

  take(part: Part): Uint8Array {
    const { offset } = this.#cursor
    const bytes = this.#cursor.take(part)
    this.#rows.push({ name: part.name, offset, length: bytes.length, meaning: part.meaning(bytes) })
    return bytes
  }

  number(part: Part): number {
    return this.take(part).reduce((number, byte) => number * 256 + byte, 0)
  }
}

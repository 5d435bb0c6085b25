import { EmptyNameError, TextError, TooLongError, UnterminatedError } from '../errors.ts'
import type { Field, Part, Parts } from './field.ts'

const encoder = new TextEncoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

/** Reads UTF-8. @throws {TextError} for what is none */
export const fromUtf8 = (name: string, bytes: Uint8Array): string => {
  try {
    return strict.decode(bytes)
  } catch (cause) {
    throw new TextError(name, { cause })
  }
}

/**
 * Writes UTF-8.
 *
 * @throws {TooLongError} for more bytes than one byte can count, {@link TextError} for half a surrogate pair
 */
export const toUtf8 = (name: string, value: string): Uint8Array => {
  // The encoder would write U+FFFD in its place: another name, another password.
  if (/\p{Surrogate}/u.test(value)) throw new TextError(name)
  const bytes = encoder.encode(value)
  if (bytes.length > 255) throw new TooLongError(name, bytes.length, 255)
  return bytes
}

const hidden = (): string => '(hidden)'

// JSON escapes the control characters up to U+001F only; U+009B alone starts an escape sequence on some terminals.
const escaped = (character: string): string => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`

/** The meaning of bytes that are text; control characters are escaped. */
export const quoted = (bytes: Uint8Array): string =>
  JSON.stringify(lenient.decode(bytes)).replaceAll(/\p{Cc}/gu, escaped)

/** The meaning of a byte that counts others. */
export const byteCount = (bytes: Uint8Array): string => `${bytes[0]} bytes`

/** Text of 0 to 255 bytes of UTF-8 behind its length, as RFC 1929 carries names and passwords. */
export const counted = (
  length: string,
  name: string,
  { empty, secret = false }: { empty: 'allowed' | 'refused'; secret?: boolean }
): Field<string> => {
  const lengthPart: Part = { name: length, length: 1, meaning: secret ? hidden : byteCount }
  const notEmpty = (bytes: number): void => {
    if (bytes === 0 && empty === 'refused') throw new EmptyNameError(name)
  }
  return {
    decode(parts) {
      const count = parts.number(lengthPart)
      notEmpty(count)
      if (count === 0) return ''
      return fromUtf8(name, parts.take({ name, length: count, meaning: secret ? hidden : quoted }))
    },
    encode(value) {
      const bytes = toUtf8(name, value)
      notEmpty(bytes.length)
      return [bytes.length, ...bytes]
    }
  }
}

const nul = 0
const maximum = 255
const quotedBeforeNul = (bytes: Uint8Array): string => quoted(bytes.at(-1) === nul ? bytes.subarray(0, -1) : bytes)

/** Reads 0 to 255 bytes that a NUL ends, as SOCKS4 carries text. @throws {UnterminatedError} for more */
export const untilNul = (name: string, parts: Parts): Uint8Array => {
  const bytes = parts.take({ name, length: maximum + 1, ending: nul, meaning: quotedBeforeNul })
  if (bytes.at(-1) !== nul) throw new UnterminatedError(name, maximum)
  return bytes.subarray(0, -1)
}

/** Ends text with a NUL. @throws {TextError} where it has one already */
export const withNul = (name: string, text: Uint8Array): readonly number[] => {
  if (text.includes(nul)) throw new TextError(name)
  return [...text, nul]
}

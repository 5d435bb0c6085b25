const encoder = new TextEncoder()

/**
 * Bytes from hexadecimal digits, spaced as you like; what is interpolated goes in as it is, text as UTF-8.
 *
 * @throws {SyntaxError} for anything but pairs of hexadecimal digits
 *
 * @example
 *
 * ```ts
 * import { hex } from '@it-socks/testing'
 *
 * hex`05 01 00` // => Uint8Array.of(5, 1, 0)
 * hex`01 05 ${'alice'}` // => Uint8Array.of(1, 5, 97, 108, 105, 99, 101)
 * ```
 */
export const hex = (digits: TemplateStringsArray, ...values: ReadonlyArray<string | Uint8Array>): Uint8Array => {
  const parts = digits.flatMap((part, index) => {
    const value = values[index] ?? ''
    return [...fromDigits(part), ...(typeof value === 'string' ? encoder.encode(value) : value)]
  })
  return Uint8Array.from(parts)
}

const fromDigits = (text: string): number[] => {
  const digits = text.replaceAll(/\s/g, '')
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new SyntaxError(`not pairs of hexadecimal digits: ${text.trim()}`)
  return (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
}

/** Bytes as hexadecimal digits, for messages. */
export const toHex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')

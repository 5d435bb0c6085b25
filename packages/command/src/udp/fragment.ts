import { ConfigurationError, TooLongError, type Datagram } from '@it-socks/protocol'

/** What a datagram is but for its address: encoded with one it can be sent. */
export type Fragment = Pick<Datagram, 'fragment' | 'data'>

const most = 127
const last = 0x80

/**
 * Splits data into fragments of at most `size` bytes, without copying (RFC 1928 section 7): at most 127, numbered from 1,
 * the last one marked by the high bit. Data that fits into one is not fragmented: FRAG is 0. The RFC would have
 * applications avoid fragments, many relays drop them, and one that is lost loses all of them.
 *
 * @throws {ConfigurationError} for a size that is not a whole number above zero
 * @throws {TooLongError} for data that 127 fragments do not hold
 *
 * @example
 *
 * ```ts
 * import { fragment } from '@it-socks/command'
 *
 * fragment(Uint8Array.of(1, 2, 3), 2)
 * // => [
 * //   { fragment: 1, data: Uint8Array.of(1, 2) },
 * //   { fragment: 0x82, data: Uint8Array.of(3) }
 * // ]
 * fragment(Uint8Array.of(1, 2, 3), 3) // => [{ fragment: 0, data: Uint8Array.of(1, 2, 3) }]
 * ```
 */
export const fragment = (data: Uint8Array, size: number): Fragment[] => {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new ConfigurationError(`the size of a fragment is a whole number above zero, not ${size}`)
  }
  if (data.length <= size) return [{ fragment: 0, data }]
  const count = Math.ceil(data.length / size)
  if (count > most) throw new TooLongError('DATA', data.length, most * size)
  return Array.from({ length: count }, (_, index) => ({
    fragment: index + 1 === count ? count | last : index + 1,
    data: data.subarray(index * size, (index + 1) * size)
  }))
}

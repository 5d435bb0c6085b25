/** A way to cut a conversation's bytes into chunks. */
export interface Chunking {
  readonly name: string
  /** Say all lines at once, without waiting for the other side: what a pipelining peer does. */
  readonly glued?: boolean
  /** Whether to cut before the byte at this offset, counted from the peer's very first byte. */
  cutBefore(offset: number): boolean
}

/**
 * Every chunking worth trying for a peer that says `length` bytes in all: line by line, byte by byte, all glued
 * together, and cut in two at each place.
 *
 * @example
 *
 * ```ts
 * import { everyChunking } from '@it-socks/testing'
 *
 * everyChunking(3).map(({ name }) => name)
 * // => ['line by line', 'byte by byte', 'glued', 'cut at byte 1', 'cut at byte 2']
 * ```
 */
export const everyChunking = (length: number): Chunking[] => [
  { name: 'line by line', cutBefore: () => false },
  { name: 'byte by byte', cutBefore: () => true },
  { name: 'glued', glued: true, cutBefore: () => false },
  ...Array.from({ length: Math.max(0, length - 1) }, (_, index) => cutAt(index + 1))
]

/** Cuts before the byte at each of these offsets. */
export const cutAt = (...offsets: number[]): Chunking => ({
  name: `cut at byte ${offsets.join(', ')}`,
  cutBefore: (offset) => offsets.includes(offset)
})

/** The chunks of `bytes`, which start `start` bytes into what the peer says. */
export const chunked = (bytes: Uint8Array, chunking: Chunking, start = 0): Uint8Array[] => {
  const cuts = [...bytes.keys()].filter((index) => index > 0 && chunking.cutBefore(start + index))
  return [0, ...cuts].map((from, index) => bytes.slice(from, cuts[index] ?? bytes.length))
}

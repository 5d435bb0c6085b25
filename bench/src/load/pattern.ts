import { allocate } from '@it-socks/syscall'

/** Of no round length: bytes lost, doubled or swapped in blocks of whatever size do not fall into step again. */
const period = 65_521
/** As much as is sent or received in one call. */
export const block: number = 256 * 1024

/** What every stream consists of, so long that a whole block can begin anywhere in the first period. */
const pattern = allocate(period + block)
// Any bytes without a period of their own will do; the same every time (xorshift32).
let state = 0x9e3779b9
for (let index = 0; index < period; index++) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  pattern.bytes[index] = state
}
for (let at = period; at < period + block; at += period) {
  pattern.bytes.copyWithin(at, 0, Math.min(period, period + block - at))
}
const bytes = Buffer.from(pattern.bytes.buffer, 0, period + block)

/** Where the bytes of a stream from `position` on are in memory, a block of them. */
export const patternAddress = (position: number): number => pattern.address + (position % period)

/** The same as bytes, to be put into datagrams. */
export const patternBytes = (position: number, length: number): Buffer =>
  bytes.subarray(position % period, (position % period) + length)

/** Whether these are the bytes of a stream from `position` on. */
export const matches = (received: Uint8Array, start: number, length: number, position: number): boolean => {
  const at = position % period
  return bytes.compare(received, start, start + length, at, at + length) === 0
}

import { allocate, type Memory } from '@it-socks/syscall'

/** How much is read at a time. */
export const bufferSize: number = 262_144
/** And how much where many wait already for somebody to take what was read for him. */
const frugal = 16_384
const much = 33_554_432

/** What all relays of a thread read into: what it holds is sent, or put aside, before anybody reads again. */
export const buffer: Memory = allocate(bufferSize)

let aside = 0

/** How much to read now. */
export const readSize = (): number => (aside < much ? bufferSize : frugal)

/** Room for so many bytes that have to wait. */
export const allocateAside = (length: number): Memory => {
  aside += length
  return allocate(length)
}

/** Copies a part of the buffer, which the kernel has not taken yet. */
export const putAside = (from: number, to: number): Memory => {
  const memory = allocateAside(to - from)
  memory.bytes.set(buffer.bytes.subarray(from, to))
  return memory
}

/** What was put aside has been sent. */
export const takeBack = ({ bytes }: Memory): void => {
  aside -= bytes.length
}

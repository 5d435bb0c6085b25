import { allocate, type Memory } from '@it-socks/syscall'

/** How much is read at a time. */
export const bufferSize: number = 262_144

/** What all relays of a thread read into: what it holds is sent, or put aside, before anybody reads again. */
export const buffer: Memory = allocate(bufferSize)

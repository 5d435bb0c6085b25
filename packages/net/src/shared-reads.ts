import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net'
import { handleOf, stopReading } from './handle.ts'

/** Bytes have come: so many, at the start of `buffer`, and only until this returns. Returns whether to read on. */
export type Received = (this: Socket, length: number, buffer: Uint8Array) => boolean

/** Where Node keeps what a socket was given as `onread`; see `onread` of `new net.Socket()`. */
interface Places {
  readonly buffer: symbol
  readonly callback: symbol
}

const size = 256 * 1024

let shared: Uint8Array | undefined
let places: Places | undefined
let looked = false

/**
 * Has a socket read into a buffer that all sockets of this thread share. What costs a relay most in Node is the fresh
 * memory, 64 KB of it, for every read; and `onread`, which avoids that, is only for sockets that one connects oneself.
 * So this does what it does to one that is there already.
 *
 * @returns whether it could: where Node is built differently from what we know, nothing has happened
 */
export const readShared = (socket: Socket, received: Received): boolean => {
  const found = findPlaces()
  const handle = handleOf(socket)
  if (found === undefined || shared === undefined || (handle !== undefined && handle.useUserBuffer === undefined))
    return false
  const values = socket as unknown as Record<symbol, unknown>
  values[found.buffer] = shared
  values[found.callback] = received
  // Without a handle it is still to be connected, and Node does this then.
  handle?.useUserBuffer?.(shared)
  // A socket that is paused is still read, into memory of its own, until that is full.
  if (handle?.reading === true) stopReading(socket)
  return true
}

const findPlaces = (): Places | undefined => {
  if (looked) return places
  looked = true
  shared = Buffer.allocUnsafeSlow(size)
  places = placesOf(shared, () => true)
  return places
}

/** Looks on a socket with an `onread` of its own where that went. */
const placesOf = (buffer: Uint8Array, callback: () => boolean): Places | undefined => {
  // Node's types know `onread` only for `connect`, whose options go to the same constructor.
  const options: SocketConstructorOpts & ConnectOpts = { onread: { buffer, callback } }
  const socket = new Socket(options)
  const values = socket as unknown as Record<symbol, unknown>
  const keyOf = (value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(socket).find((key) => values[key] === value)
  const found = { buffer: keyOf(buffer), callback: keyOf(callback) }
  return found.buffer === undefined || found.callback === undefined ? undefined : (found as Places)
}

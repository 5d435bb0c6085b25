import type { Address } from '@it-socks/protocol'
import { copyPieces, type Pieces } from '@it-socks/stage'
import { EAGAIN, EINTR, loop, sendmmsg } from '@it-socks/syscall'
import { writeAddress } from '../address.ts'
import { messages, type Messages } from './messages.ts'

/** So many are sent by one call. */
const atOnce = 64
const size = 256 * 1024

/** A socket that sends. */
export interface Sender {
  readonly fd: number
  /** This one was refused. */
  refused(errno: number): void
  /** There is no room for this one now. Both are the sender's own from here on. */
  postponed(data: Uint8Array, to: Address): void
}

interface Written {
  host: string
  port: number
  length: number
  data: number
}

let shared: Messages | undefined
/** What each of the messages' addresses says: the next datagram often goes where the last one went. */
const written: Written[] = []
let sender: Sender | undefined
let count = 0
let used = 0
let scheduled = false

const outgoing = (): Messages => {
  if (shared === undefined) {
    shared = messages(atOnce, size)
    for (let index = 0; index < atOnce; index++) written.push({ host: '', port: 0, length: 0, data: 0 })
  }
  return shared
}

const later = (): void => {
  scheduled = false
  flush()
}

/**
 * Sends a datagram, which is copied, with all that the same socket sends in this batch. `to` is an IP address of the
 * socket's family, and `length`, that of all pieces of `data`, not more than 65,535 bytes.
 */
export const send = (by: Sender, data: Pieces, length: number, to: Address): void => {
  if (sender !== by || count === atOnce || used + length > size) flush()
  const { addresses, bytes, describe } = outgoing()
  sender = by
  const slot = written[count]!
  if (slot.host !== to.host || slot.port !== to.port) {
    slot.length = writeAddress(to, addresses[count])
    slot.host = to.host
    slot.port = to.port
  }
  copyPieces(data, bytes, used)
  describe(count, used, length, slot.length)
  slot.data = length
  count += 1
  used += length
  if (scheduled) return
  scheduled = true
  loop.afterBatch(later)
}

/** Sends at once what has been collected of this socket, or of whichever has collected some. */
export const flush = (of: Sender | undefined = sender): void => {
  if (sender === undefined || sender !== of) return
  const { at } = outgoing()
  const by = sender
  const total = count
  const lengths = written.slice(0, total).map(({ data }) => data)
  sender = undefined
  count = 0
  used = 0
  const errors: number[] = []
  let index = 0
  while (index < total) {
    const sent = sendmmsg(by.fd, at(index), total - index, 0)
    if (sent > 0) index += sent
    else if (sent === -EAGAIN) break
    else if (sent !== -EINTR) {
      errors.push(sent)
      index += 1
    }
  }
  if (index < total) postpone(by, index, lengths)
  for (const errno of errors) by.refused(errno)
}

/** The rest has to wait. */
const postpone = (by: Sender, first: number, lengths: readonly number[]): void => {
  const { bytes } = outgoing()
  let start = 0
  lengths.forEach((length, index) => {
    if (index >= first) {
      const { host, port } = written[index]!
      by.postponed(bytes.slice(start, start + length), { host, port })
    }
    start += length
  })
}

import { allocate, EPOLLRDHUP, MSG_NOSIGNAL, recv, send, SHUT_WR, shutdown } from '@it-socks/syscall'
import { block, matches, patternAddress } from './pattern.ts'
import type { Party, Poller } from './poller.ts'
import { wouldBlock } from './socket.ts'

const room = allocate(block)
const buffer = Buffer.from(room.bytes.buffer)
/** How many blocks one end sends or receives before it lets others go first. */
const turns = 4

/** What one end of a bulk transfer has to do. */
export interface Transfer {
  /** Bytes to send. */
  readonly sends: number
  /** Bytes to receive. */
  readonly expects: number
  /** Sends the FIN, once everything has come and gone: several proxies end both ways with the first. */
  readonly ends: boolean
}

/** One end of a bulk transfer. Each byte is compared. */
export class Stream implements Party {
  readonly fd: number
  readonly #poller: Poller
  readonly #transfer: Transfer
  readonly #closed: () => void
  #sent = 0
  #got = 0
  #hasEnded = false
  /** The peer's FIN has been told of, which happens once. */
  #hasEnd = false

  constructor(poller: Poller, fd: number, transfer: Transfer, closed: () => void) {
    this.fd = fd
    this.#poller = poller
    this.#transfer = transfer
    this.#closed = closed
  }

  ready(events: number): void {
    if ((events & EPOLLRDHUP) !== 0) this.#hasEnd = true
    const { sends, expects, ends } = this.#transfer
    const hasMore = [this.#send(sends), this.#receive(expects)].includes(true)
    if (ends && !this.#hasEnded && this.#sent === sends && this.#got === expects) {
      this.#hasEnded = true
      shutdown(this.fd, SHUT_WR)
    }
    if (hasMore) this.#poller.again(this)
  }

  /** Whether it stopped only to let others go first. */
  #send(all: number): boolean {
    for (let turn = 0; turn < turns && this.#sent < all; turn++) {
      const sent = send(this.fd, patternAddress(this.#sent), Math.min(block, all - this.#sent), MSG_NOSIGNAL)
      if (wouldBlock(sent, 'send')) return false
      this.#sent += sent
    }
    return this.#sent < all
  }

  #receive(all: number): boolean {
    for (let turn = 0; turn < turns; turn++) {
      const got = recv(this.fd, room.address, block, 0)
      if (wouldBlock(got, 'recv')) return false
      if (got === 0) {
        if (this.#got !== all) throw new Error(`${this.#got} of ${all} bytes have come`)
        this.#poller.drop(this.fd)
        this.#closed()
        return false
      }
      if (this.#got + got > all) throw new Error('more has come than was sent')
      if (!matches(buffer, 0, got, this.#got)) throw new Error('the bytes differ')
      this.#got += got
      if (got < block && !this.#hasEnd) return false
    }
    return true
  }
}

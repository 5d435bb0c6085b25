import { allocate, EPOLLRDHUP, MSG_NOSIGNAL, recv, send, SHUT_WR, shutdown } from '@it-socks/syscall'
import { block, matches, patternAddress } from './pattern.ts'
import type { Party, Poller } from './poller.ts'
import { wouldBlock } from './socket.ts'

const room = allocate(block)
const buffer = Buffer.from(room.bytes.buffer)
/** How many blocks one end sends or receives before it lets others go first. */
const turns = 4

/** One end of a bulk transfer: sends so many bytes and a FIN, and expects so many and a FIN; each byte is compared. */
export class Stream implements Party {
  readonly fd: number
  readonly #poller: Poller
  readonly #sends: number
  readonly #expects: number
  readonly #closed: () => void
  #sent = 0
  #got = 0
  #finished = false
  #ended = false
  /** The FIN has been told of, which happens once. */
  #hasEnd = false

  constructor(poller: Poller, fd: number, sends: number, expects: number, closed: () => void) {
    this.fd = fd
    this.#poller = poller
    this.#sends = sends
    this.#expects = expects
    this.#closed = closed
  }

  ready(events: number): void {
    if ((events & EPOLLRDHUP) !== 0) this.#hasEnd = true
    const hasMore = [this.#send(), this.#receive()].includes(true)
    if (this.#finished && this.#ended) {
      this.#poller.drop(this.fd)
      this.#closed()
    } else if (hasMore) this.#poller.again(this)
  }

  /** Whether it stopped only to let others go first. */
  #send(): boolean {
    if (this.#finished) return false
    for (let turn = 0; turn < turns && this.#sent < this.#sends; turn++) {
      const length = Math.min(block, this.#sends - this.#sent)
      const sent = send(this.fd, patternAddress(this.#sent), length, MSG_NOSIGNAL)
      if (wouldBlock(sent, 'send')) return false
      this.#sent += sent
    }
    if (this.#sent < this.#sends) return true
    shutdown(this.fd, SHUT_WR)
    this.#finished = true
    return false
  }

  #receive(): boolean {
    if (this.#ended) return false
    for (let turn = 0; turn < turns; turn++) {
      const got = recv(this.fd, room.address, block, 0)
      if (wouldBlock(got, 'recv')) return false
      if (got === 0) {
        if (this.#got !== this.#expects) throw new Error(`${this.#got} of ${this.#expects} bytes have come`)
        this.#ended = true
        return false
      }
      if (this.#got + got > this.#expects) throw new Error('more has come than was sent')
      if (!matches(buffer, 0, got, this.#got)) throw new Error('the bytes differ')
      this.#got += got
      if (got < block && !this.#hasEnd) return false
    }
    return true
  }
}

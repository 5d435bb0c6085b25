import { allocate, EPOLLRDHUP, MSG_NOSIGNAL, recv, send, SHUT_WR, shutdown } from '@it-socks/syscall'
import { matches, patternAddress } from './pattern.ts'
import type { Party, Poller } from './poller.ts'
import { wouldBlock } from './socket.ts'

const room = allocate(64 * 1024)
const buffer = Buffer.from(room.bytes.buffer)

/** The target's side: what comes goes back. Messages are small; a peer that does not read is a mistake. */
export class Echo implements Party {
  readonly fd: number
  readonly #poller: Poller
  readonly #closed: () => void

  constructor(poller: Poller, fd: number, closed: () => void = () => {}) {
    this.fd = fd
    this.#poller = poller
    this.#closed = closed
  }

  ready(events: number): void {
    for (;;) {
      const got = recv(this.fd, room.address, room.bytes.length, 0)
      if (wouldBlock(got, 'recv')) return
      if (got === 0) {
        this.#poller.drop(this.fd)
        this.#closed()
        return
      }
      if (send(this.fd, room.address, got, MSG_NOSIGNAL) !== got) throw new Error('the echo is not taken')
      if ((events & EPOLLRDHUP) === 0) return
    }
  }
}

/** Told by a pinger. */
export interface Ends {
  /** What it sent has come back. */
  readonly answered: (pinger: Pinger) => void
  /** Its half-close has come back. */
  readonly closed?: () => void
}

/** The client's side: sends messages of `length` bytes one after the other, each when the one before has come back. */
export class Pinger implements Party {
  readonly fd: number
  readonly #poller: Poller
  readonly #length: number
  readonly #told: Ends
  #position: number
  #got = 0
  #waiting = false
  #ended = false

  constructor(poller: Poller, fd: number, length: number, position: number, told: Ends) {
    this.fd = fd
    this.#poller = poller
    this.#length = length
    this.#position = position
    this.#told = told
  }

  ping(): void {
    this.#got = 0
    this.#waiting = true
    const sent = send(this.fd, patternAddress(this.#position), this.#length, MSG_NOSIGNAL)
    if (wouldBlock(sent, 'send') || sent !== this.#length) throw new Error('a message is not taken')
  }

  /** Half-closes; the end has to come back. */
  end(): void {
    this.#ended = true
    shutdown(this.fd, SHUT_WR)
  }

  ready(events: number): void {
    if (!this.#waiting && (events & EPOLLRDHUP) === 0) return
    const got = recv(this.fd, room.address, this.#waiting ? this.#length - this.#got : 1, 0)
    if (wouldBlock(got, 'recv')) return
    if (got === 0) {
      if (!this.#ended || this.#waiting) throw new Error('the tunnel has ended early')
      this.#poller.drop(this.fd)
      this.#told.closed?.()
      return
    }
    if (!this.#waiting) throw new Error('more has come back than was sent')
    if (!matches(buffer, 0, got, this.#position + this.#got)) throw new Error('the echo differs')
    this.#got += got
    if (this.#got < this.#length) return
    this.#waiting = false
    this.#position += this.#length
    this.#told.answered(this)
  }
}

import {
  EAGAIN,
  EINTR,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  SHUT_WR,
  loop,
  shutdown,
  systemError,
  type Memory,
  type Watcher
} from '@it-socks/syscall'
import { carry, deliverWaiting, forgetWaiting } from './by-buffer.ts'
import { deliverPiped, fill, forgetPiped, returnEmptyPipe } from './by-pipe.ts'
import type { Pipe } from './pipes.ts'
import type { Relay } from './relay.ts'

/** So many bytes go one way before others have their turn. */
const turn = 1_048_576
/** A direction is bulk when so many reads in a row brought so much; and no longer, when so many brought less. */
const large = 32_768
const enough = 3

/** How far a direction has come: it reads; its end has been read, but not all delivered; it is over. */
type Stage = 'open' | 'ending' | 'over'

/**
 * One of a relay's two sockets, and the direction that starts at it. It has no buffer of its own while nothing waits: there
 * may be ten thousand.
 */
export class Side implements Watcher {
  readonly fd: number
  readonly relay: Relay
  readonly direction: 'up' | 'down'
  /** The other one, where what is read here is written. */
  peer!: Side
  stage: Stage = 'open'
  /** Whether there may be something to read: the kernel says so once. */
  readable = false
  /** Whether there may be room to write: the kernel says so once. */
  writable = true
  /** Whether to read on after a read that brought less than it could: the end may be behind it, or urgent data. */
  thorough = false
  /** Whether there may be urgent data: no splice(2) gets past that. */
  urgent = false
  /** Whether it is to be called again in the next batch. */
  queued = false
  bulk = false
  /** How many reads in a row spoke for the other way to move bytes. */
  votes = 0
  /** What was read and could not be written yet, from `from` to `to`. */
  waiting: Memory | undefined = undefined
  from = 0
  to = 0
  /** A pipe, while there are bytes in it: so many. */
  pipe: Pipe | undefined = undefined
  piped = 0

  constructor(fd: number, relay: Relay, direction: 'up' | 'down') {
    this.fd = fd
    this.relay = relay
    this.direction = direction
  }

  ready(events: number): void {
    if (this.relay.over) return
    if (events === 0) {
      this.queued = false
      return this.pump()
    }
    if ((events & EPOLLERR) !== 0) return this.broken()
    if ((events & EPOLLOUT) !== 0 && !this.writable) {
      this.writable = true
      this.peer.pump()
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLPRI)) !== 0) {
      this.readable = true
      if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLPRI)) !== 0) {
        this.thorough = true
        if ((events & EPOLLPRI) !== 0) this.urgent = true
      }
      this.pump()
    }
  }

  /** Moves what can be moved now, but not more than its share. */
  pump(): void {
    const { relay, peer } = this
    let budget = turn
    while (!relay.over && this.stage !== 'over' && deliverWaiting(this) && deliverPiped(this)) {
      if (this.stage === 'ending') return this.finish()
      if (!this.readable || !peer.writable) break
      if (budget <= 0) {
        this.queue()
        break
      }
      budget -= this.bulk && !this.urgent ? fill(this) : carry(this)
    }
    returnEmptyPipe(this)
  }

  /** Forgets what is on its way. */
  clear(): void {
    forgetPiped(this)
    forgetWaiting(this)
  }

  queue(): void {
    if (this.queued) return
    this.queued = true
    loop.again(this)
  }

  /** Chooses how bytes are moved, by how much a read brought and whether it could have brought more. */
  weigh(came: number, full: boolean): void {
    if ((came >= large || full) === this.bulk) {
      this.votes = 0
      return
    }
    this.votes += 1
    if (this.votes < enough) return
    this.votes = 0
    this.bulk = !this.bulk
  }

  /** A read brought nothing: it is the end, or there is nothing now, or the side is broken. Returns 0. */
  came(result: number, syscall: string): 0 {
    if (result === 0) this.stage = 'ending'
    else if (result === -EAGAIN) {
      this.readable = false
      this.thorough = false
      this.urgent = false
    } else if (result !== -EINTR) this.relay.fail(systemError(result, syscall))
    return 0
  }

  /** A write was refused: there is no room now, or the side is broken. Returns whether to try again. */
  refused(result: number, syscall: string): boolean {
    if (result === -EINTR) return true
    if (result === -EAGAIN) this.writable = false
    else this.relay.fail(systemError(result, syscall))
    return false
  }

  /** All that came from here has been delivered: the peer hears that no more comes. Where that is all, closing says it, too. */
  finish(): void {
    this.stage = 'over'
    if (this.peer.stage === 'over') return this.relay.end()
    // It fails where the peer has reset meanwhile, and the kernel has a better name for that.
    if (shutdown(this.peer.fd, SHUT_WR) < 0) this.relay.failOf(this.peer)
  }

  /** The kernel says that the connection is no more. What came before that is delivered, as far as there is room. */
  broken(): void {
    this.readable = true
    this.thorough = true
    this.pump()
    this.relay.failOf(this)
  }
}

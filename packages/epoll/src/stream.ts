import type { SocketDuplex } from '@it-socks/net'
import { finished, giveBack, type Reader, type Result, type Writer } from '@it-socks/net/waiters'
import type { Address } from '@it-socks/protocol'
import { relayedEvents } from '@it-socks/splice'
import { keepSpecimens, type Bytes, type Flow, type Transport } from '@it-socks/stage'
import { EPOLLERR, loop, type Watcher } from '@it-socks/syscall'
import { localAddressOf } from './address.ts'
import { freed } from './descriptors.ts'
import { breakOff, reset, tellWhoCameLate } from './stream/end.ts'
import { isWhole, joinTo } from './stream/join.ts'
import { discard, fail, next, serveReaders, stopReading } from './stream/read.ts'
import { CLOSED, DISCARDING, DOOMED, JOINED, UNIX, is, readiness, type State } from './stream/state.ts'
import { consume, drained, flush, write } from './stream/write.ts'

/**
 * A connection: all there is of it in one object, and nothing else until somebody reads. As an iterator it is its own
 * source: the kernel is asked when somebody waits, and not before.
 */
class Stream implements State, SocketDuplex, Transport, Flow, AsyncIterableIterator<Uint8Array, void> {
  readonly fd: number
  flags: number
  error: unknown = undefined
  reader: Reader | undefined = undefined
  ahead: Uint8Array[] | undefined = undefined
  writer: Writer | undefined = undefined
  queue: Uint8Array[] | undefined = undefined
  queued = 0
  whenDrained: (() => void) | undefined = undefined
  whenBroken: ((error: unknown) => void) | undefined = undefined
  relay: { abort(reason: unknown): void } | undefined = undefined
  flow: Flow | undefined = undefined
  private local: Address | undefined = undefined
  readonly remoteAddress: Address | undefined

  constructor(fd: number, remote: Address | undefined, events: number) {
    this.fd = fd
    this.remoteAddress = remote
    this.flags = (remote === undefined ? UNIX : 0) | readiness(events)
  }

  get source(): this {
    return this
  }

  /** it-pipe takes it off and calls it by itself. */
  get sink(): SocketDuplex['sink'] {
    return (source) => consume(this, source)
  }

  get transport(): this {
    return this
  }

  get duplex(): this {
    return this
  }

  get localAddress(): Address | undefined {
    // Once it is joined nobody knows whose number the descriptor is.
    if (this.local === undefined && !is(this, UNIX | JOINED | CLOSED)) this.local = localAddressOf(this.fd)
    return this.local
  }

  get waiting(): number {
    return this.queued
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    return next(this)
  }

  return(): Promise<Result> {
    stopReading(this)
    return Promise.resolve(finished)
  }

  write(bytes: Bytes): void {
    write(this, bytes)
  }

  drained(act: () => void): void {
    drained(this, act)
  }

  broken(act: ((error: unknown) => void) | undefined): void {
    this.whenBroken = act
    if (act !== undefined && is(this, CLOSED)) loop.again(this)
  }

  unread(bytes: Bytes): void {
    giveBack(this, bytes)
  }

  join(target: Transport, flow: Flow): boolean {
    return target instanceof Stream && isWhole(this) && isWhole(target) && joinTo(this, target, flow)
  }

  abort(reason: unknown): void {
    if (this.relay !== undefined) {
      this.relay.abort(reason)
      freed()
    } else if (is(this, JOINED)) {
      // Whoever counts has had enough of the bytes that came first: there is a relay in a moment.
      this.error ??= reason
    } else reset(this, reason)
  }

  ready(events: number): void {
    if (events !== 0) this.flags |= readiness(events)
    if (is(this, CLOSED | JOINED)) return tellWhoCameLate(this)
    if (is(this, DOOMED)) return breakOff(this, this.error)
    if (this.queued > 0) flush(this)
    serveReaders(this)
    if (is(this, DISCARDING)) discard(this)
    if ((events & EPOLLERR) !== 0) fail(this)
  }

  passed(direction: 'up' | 'down', length: number): void {
    this.flow?.passed(direction, length)
  }

  ended(): void {
    this.flow?.ended()
    freed()
  }

  failed(error: unknown): void {
    this.flow?.failed(error)
    freed()
  }
}

keepSpecimens(new Stream(-1, undefined, 0))

/**
 * A connection as a duplex, which owns the descriptor from here on. It is watched by now, by somebody else or, as
 * {@link watchStream} does it, by the stream itself.
 */
export const streamOf = (fd: number, remote: Address | undefined, events = 0): SocketDuplex & Watcher =>
  new Stream(fd, remote, events)

/** A connection as a duplex, which is told of by the loop from here on. @throws {SystemError} where it cannot be watched */
export const watchStream = (fd: number, remote: Address | undefined): SocketDuplex => {
  const stream = new Stream(fd, remote, 0)
  loop.watch(fd, relayedEvents, stream)
  return stream
}

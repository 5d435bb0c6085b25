import { type SocketDuplex } from '@it-socks/net'
import { ClosedError, type Address } from '@it-socks/protocol'
import { relayDescriptors, relayedEvents, type End } from '@it-socks/splice'
import type { Bytes, Flow, Transport } from '@it-socks/stage'
import {
  EAGAIN,
  EINTR,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLPRI,
  EPOLLRDHUP,
  MSG_NOSIGNAL,
  SHUT_WR,
  addressOf,
  allocate,
  loop,
  recv,
  send,
  shutdown,
  systemError,
  type Watcher
} from '@it-socks/syscall'
import { localAddressOf } from './address.ts'
import { closeDescriptor, freed } from './descriptors.ts'
import { resetOnClose, takeError } from './options.ts'

/** The kernel may have something to read. */
const READABLE = 1
/** What is read short is not all there is to read: the peer's end comes behind it, or urgent data did. */
const THOROUGH = 2
/** The end has been read, or nobody wants it any more. */
const ENDED = 4
/** What comes is thrown away. */
const DISCARDING = 8
/** Nothing more is written; the end goes out behind what waits. */
const FINISHING = 16
/** The end has been sent. */
const FINISHED = 32
/** Somebody else has the descriptor now, or nobody. */
const JOINED = 64
const CLOSED = 128
/** It is broken, and those whom it concerns are told in the next batch. */
const DOOMED = 256
const UNIX = 512

/** Where everything that is received comes first, so that nobody allocates for what has not come. */
const input = allocate(64 * 1024)
/** Small arrays move about in V8's heap, where the kernel cannot find them: they leave from here. */
const output = allocate(16 * 1024)
/** So much is thrown away before others have their turn. */
const discardedAtOnce = 16

type Result = IteratorResult<Uint8Array, void>
const finished: Result = { done: true, value: undefined }

/** Somebody who waits for bytes, and who comes after. */
interface Reader {
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
  behind: Reader | undefined
}

/** Somebody who writes. */
interface Writer {
  readonly iterator: AsyncIterator<Bytes>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * A connection: all there is of it in one object, and nothing else until somebody reads. As an iterator it is its own
 * source: the kernel is asked when somebody waits, and not before.
 */
class Stream implements SocketDuplex, Transport, Watcher, Flow, AsyncIterableIterator<Uint8Array, void> {
  private readonly fd: number
  private state: number
  private error: unknown = undefined
  private reader: Reader | undefined = undefined
  /** What was read and given back. */
  private ahead: Uint8Array[] | undefined = undefined
  private writer: Writer | undefined = undefined
  private queue: Uint8Array[] | undefined = undefined
  private queued = 0
  private whenDrained: (() => void) | undefined = undefined
  private whenBroken: ((error: unknown) => void) | undefined = undefined
  private relay: { abort(reason: unknown): void } | undefined = undefined
  /** Who hears of the relay, of the client's side. */
  private flow: Flow | undefined = undefined
  private local: Address | undefined = undefined
  readonly remoteAddress: Address | undefined

  constructor(fd: number, remote: Address | undefined, events: number) {
    this.fd = fd
    this.remoteAddress = remote
    this.state = (remote === undefined ? UNIX : 0) | (events === 0 ? 0 : readiness(events))
  }

  get source(): this {
    return this
  }

  /** it-pipe takes it off and calls it by itself. */
  get sink(): SocketDuplex['sink'] {
    return (source) => this.consume(source)
  }

  get transport(): this {
    return this
  }

  get duplex(): this {
    return this
  }

  get localAddress(): Address | undefined {
    // Once it is joined nobody knows whose number the descriptor is.
    if (this.local === undefined && !this.is(UNIX | JOINED | CLOSED)) this.local = localAddressOf(this.fd)
    return this.local
  }

  get waiting(): number {
    return this.queued
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    const value = this.takeAhead()
    if (value !== undefined) return Promise.resolve({ done: false, value })
    if (this.is(READABLE) && this.reader === undefined && !this.is(ENDED | CLOSED | JOINED)) {
      const chunk = this.receive()
      if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk })
    }
    if (this.is(ENDED)) return Promise.resolve(finished)
    if (this.is(CLOSED)) return Promise.reject(this.breakage())
    return new Promise((resolve, reject) => this.wait({ resolve, reject, behind: undefined }))
  }

  return(): Promise<Result> {
    this.ahead = undefined
    if (!this.is(ENDED)) {
      this.state |= ENDED
      this.settleReaders()
      if (!this.is(CLOSED | JOINED)) {
        // What still comes is thrown away, until the end or until nobody writes either: else it would never close.
        this.state |= DISCARDING
        if (this.is(FINISHED)) this.closeRead()
        else if (this.is(READABLE)) loop.again(this)
      }
    }
    return Promise.resolve(finished)
  }

  write(bytes: Bytes): void {
    if (this.is(FINISHING | JOINED | CLOSED | DOOMED)) return
    const array = bytes instanceof Uint8Array ? bytes : bytes.subarray()
    const taken = this.queued > 0 ? 0 : this.send(array)
    if (taken === array.length || this.is(DOOMED)) return
    this.queue ??= []
    // A copy: Buffer's own `slice` is none.
    this.queue.push(new Uint8Array(taken === 0 ? array : array.subarray(taken)))
    this.queued += array.length - taken
  }

  drained(act: () => void): void {
    if (this.queued === 0) act()
    else this.whenDrained = act
  }

  broken(act: ((error: unknown) => void) | undefined): void {
    this.whenBroken = act
    if (act !== undefined && this.is(CLOSED)) loop.again(this)
  }

  unread(bytes: Bytes): void {
    if (bytes.byteLength === 0) return
    this.ahead ??= []
    this.ahead.unshift(bytes instanceof Uint8Array ? bytes : bytes.subarray())
  }

  join(target: Transport, flow: Flow): boolean {
    if (!(target instanceof Stream) || !this.isWhole() || !target.isWhole()) return false
    if (this.queued > 0 || target.queued > 0) new Leaving(this, target, flow).go()
    else return this.handOver(target, flow)
    return true
  }

  /** Ends it at once. */
  abort(reason: unknown): void {
    if (this.relay !== undefined) {
      this.relay.abort(reason)
      freed()
      return
    }
    if (this.is(JOINED)) {
      // Whoever counts has had enough of the bytes that came first: there is a relay in a moment.
      this.error ??= reason
      return
    }
    if (this.is(CLOSED)) return
    if (!this.is(UNIX)) resetOnClose(this.fd)
    this.break(reason)
  }

  ready(events: number): void {
    if (events !== 0) this.state |= readiness(events)
    if (this.is(CLOSED | JOINED)) return this.tellWhoCameLate()
    if (this.is(DOOMED)) return this.break(this.error)
    if (this.queued > 0) this.flush()
    while (this.reader !== undefined && this.is(READABLE)) {
      const value = this.receive()
      if (value === undefined) break
      const { resolve, behind } = this.reader
      this.reader = behind
      resolve({ done: false, value })
    }
    if (this.is(DISCARDING)) this.discard()
    if ((events & EPOLLERR) !== 0) this.fail()
  }

  /** Makes both descriptors the relay's, unless one breaks on the way. */
  handOver(target: Stream, flow: Flow): boolean {
    if (!this.isReady() || !target.isReady()) return false
    const [client, other] = [this.end(), target.end()]
    this.state |= JOINED
    target.state |= JOINED
    this.ahead = target.ahead = undefined
    this.whenBroken = target.whenBroken = undefined
    this.flow = flow
    const relay = relayDescriptors(client, other, this)
    this.relay = target.relay = relay
    if (this.error !== undefined || target.error !== undefined) relay.abort(this.error ?? target.error)
    return true
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

  /** Has it ended, by either duplex, by these instead. */
  leave(relay: { abort(reason: unknown): void } | undefined): void {
    this.relay = relay
  }

  /** Resets the connection, whoever would do that otherwise. */
  reset(reason: unknown): void {
    this.relay = undefined
    this.whenBroken = undefined
    this.abort(reason)
  }

  private is(state: number): boolean {
    return (this.state & state) !== 0
  }

  /** Whether nobody but a relay has to do with it. */
  private isWhole(): boolean {
    return (
      !this.is(CLOSED | JOINED | DOOMED | FINISHING | DISCARDING) &&
      this.reader === undefined &&
      this.writer === undefined &&
      this.relay === undefined
    )
  }

  /** Has read what comes before an end that was told of: that is not told again, and a short read would pass for all. */
  private isReady(): boolean {
    if (this.is(THOROUGH)) this.readAhead()
    return !this.is(CLOSED)
  }

  private end(): End {
    return { fd: this.fd, ahead: this.ahead, ended: this.is(ENDED), readable: this.is(READABLE) }
  }

  private takeAhead(): Uint8Array | undefined {
    const { ahead } = this
    if (ahead === undefined) return undefined
    const value = ahead.shift()
    if (ahead.length === 0) this.ahead = undefined
    return value
  }

  private wait(reader: Reader): void {
    let last = this.reader
    if (last === undefined) this.reader = reader
    else {
      while (last.behind !== undefined) last = last.behind
      last.behind = reader
    }
  }

  /** What the kernel has for us; nothing where there is nothing yet, at the end, and where it breaks. */
  private receive(): Uint8Array | undefined {
    const length = this.receiveInto()
    if (length > 0) return input.bytes.slice(0, length)
    if (length === 0) this.endReading()
    return undefined
  }

  /** How many bytes came to `input`; 0 at the end; negative where there is nothing yet, or it broke. */
  private receiveInto(): number {
    let length = recv(this.fd, input.address, input.bytes.length, 0)
    while (length === -EINTR) length = recv(this.fd, input.address, input.bytes.length, 0)
    if (length > 0) {
      // A full buffer may be followed by more; a short one may not, and whatever comes later is told of.
      if (length < input.bytes.length && !this.is(THOROUGH)) this.state &= ~READABLE
    } else if (length === -EAGAIN) this.state &= ~READABLE
    else if (length < 0) this.break(systemError(length, 'read'))
    return length
  }

  private endReading(): void {
    this.state = (this.state | ENDED) & ~(READABLE | DISCARDING)
    this.settleReaders()
    if (this.is(FINISHED)) this.close()
  }

  private discard(): void {
    for (let turns = 0; turns < discardedAtOnce; turns++) {
      if (!this.is(READABLE) || this.is(CLOSED)) return
      if (this.receiveInto() === 0) return this.endReading()
    }
    loop.again(this)
  }

  /** Sends as much as the kernel takes now; where it takes nothing ever again, that is told in the next batch. */
  private send(array: Uint8Array): number {
    let sent = 0
    while (sent < array.length) {
      const rest = sent === 0 ? array : array.subarray(sent)
      const taken = sendArray(this.fd, rest)
      if (taken >= 0) sent += taken
      else if (taken === -EAGAIN) break
      else if (taken !== -EINTR) {
        this.doom(systemError(taken, 'write'))
        break
      }
    }
    return sent
  }

  private doom(error: unknown): void {
    this.error ??= error
    this.state |= DOOMED
    loop.again(this)
  }

  private flush(): void {
    const queue = this.queue!
    while (queue.length > 0) {
      const [first] = queue as [Uint8Array]
      const sent = this.send(first)
      if (this.is(DOOMED)) return
      this.queued -= sent
      if (sent < first.length) {
        queue[0] = first.subarray(sent)
        return
      }
      queue.shift()
    }
    this.queue = undefined
    if (this.is(FINISHING)) return this.finish()
    const act = this.whenDrained
    this.whenDrained = undefined
    act?.()
  }

  private consume(source: AsyncIterable<Bytes>): Promise<void> {
    return new Promise((resolve, reject) => {
      const iterator = source[Symbol.asyncIterator]()
      if (this.is(CLOSED)) {
        reject(this.breakage())
        returnTo(iterator)
        return
      }
      this.writer = { iterator, resolve, reject }
      this.pump(iterator).catch((error: unknown) => {
        this.writer = undefined
        reject(error)
        this.abort(error)
      })
    })
  }

  private async pump(iterator: AsyncIterator<Bytes>): Promise<void> {
    for (;;) {
      const { done, value } = await iterator.next()
      if (this.is(CLOSED)) return
      if (done === true) break
      this.write(value)
      if (this.queued > 0) await new Promise<void>((resolve) => this.drained(resolve))
    }
    this.state |= FINISHING
    if (this.queued === 0 && !this.is(DOOMED)) this.finish()
  }

  private finish(): void {
    // It fails where the peer has reset meanwhile: whoever reads hears of that.
    shutdown(this.fd, SHUT_WR)
    this.state |= FINISHED
    const { writer } = this
    this.writer = undefined
    writer?.resolve()
    if (this.is(DISCARDING)) this.closeRead()
    else if (this.is(ENDED)) this.close()
  }

  /** Closes it once what has come by now is read: left unread it would be a reset, which may overtake what was said last. */
  private closeRead(): void {
    for (let turns = 0; turns < discardedAtOnce; turns++) if (this.receiveInto() <= 0) break
    if (!this.is(CLOSED)) this.close()
  }

  /** It is over, and well so. */
  private close(): void {
    this.state = (this.state | CLOSED) & ~DISCARDING
    this.whenBroken = undefined
    closeDescriptor(this.fd)
  }

  /** The kernel says that it is broken. Those who read later hear first what came before that. */
  private fail(): void {
    this.readAhead()
    if (this.is(CLOSED | JOINED)) return
    const errno = takeError(this.fd)
    if (errno !== 0) this.break(systemError(errno, 'read'))
  }

  /** Reads what has come, for later. It is no more than the kernel has room for: the peer says no more. */
  private readAhead(): void {
    while (this.is(READABLE) && !this.is(ENDED | CLOSED | JOINED)) {
      const chunk = this.receive()
      if (chunk !== undefined) (this.ahead ??= []).push(chunk)
    }
  }

  private break(error: unknown): void {
    if (this.is(CLOSED)) return
    this.error ??= error
    this.state = (this.state | CLOSED) & ~DISCARDING
    this.queue = undefined
    this.queued = 0
    closeDescriptor(this.fd)
    this.settleReaders()
    this.tellWriters(this.breakage())
  }

  private settleReaders(): void {
    let { reader } = this
    this.reader = undefined
    for (; reader !== undefined; reader = reader.behind) {
      if (this.is(ENDED)) reader.resolve(finished)
      else reader.reject(this.breakage())
    }
  }

  private tellWriters(error: unknown): void {
    const { writer, whenBroken } = this
    this.writer = undefined
    this.whenBroken = undefined
    this.whenDrained = undefined
    if (writer !== undefined) {
      writer.reject(error)
      returnTo(writer.iterator)
    }
    whenBroken?.(error)
  }

  private tellWhoCameLate(): void {
    if (this.whenBroken !== undefined && !this.is(JOINED)) this.tellWriters(this.breakage())
  }

  private breakage(): unknown {
    return (this.error ??= new ClosedError())
  }
}

/**
 * Two connections of which one has something to send still that nobody else knows of: the relay begins when that has left.
 * Until then they are watched as ever.
 */
class Leaving {
  private readonly client: Stream
  private readonly target: Stream
  private readonly flow: Flow

  constructor(client: Stream, target: Stream, flow: Flow) {
    this.client = client
    this.target = target
    this.flow = flow
  }

  go(): void {
    const { client, target, flow } = this
    const failed = (error: unknown): void => flow.failed(error)
    client.leave(this)
    target.leave(this)
    client.broken(failed)
    target.broken(failed)
    client.drained(() => {
      target.drained(() => {
        client.leave(undefined)
        target.leave(undefined)
        client.handOver(target, flow)
      })
    })
  }

  abort(reason: unknown): void {
    const { client, target } = this
    client.leave(undefined)
    target.leave(undefined)
    client.reset(reason)
    target.reset(reason)
  }
}

const readiness = (events: number): number => {
  let state = 0
  if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) state |= READABLE
  if ((events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) state |= THOROUGH
  return state
}

const sendArray = (fd: number, array: Uint8Array): number => {
  if (array.length > output.bytes.length) return send(fd, addressOf(array), array.length, MSG_NOSIGNAL)
  output.bytes.set(array)
  return send(fd, output.address, array.length, MSG_NOSIGNAL)
}

const returnTo = (iterator: AsyncIterator<Bytes>): void => {
  iterator.return?.().catch(() => {})
}

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

import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { canonicalHost, type Address } from '@it-socks/protocol'
import type { Bytes, Flow, Transport } from '@it-socks/stage'
import { breakage, type Breakage } from './breakage.ts'
import { hasEnded, startReading, stopReading } from './handle.ts'
import { readShared } from './shared-reads.ts'
import type { SocketDuplex } from './socket-duplex.ts'
import { socketSink } from './socket-sink.ts'
import type { Detached, SocketTransport } from './socket-transport.ts'
import { writeNow } from './write-now.ts'

interface Reader {
  readonly resolve: (result: IteratorResult<Uint8Array, void>) => void
  readonly reject: (error: unknown) => void
}

let reader: Reader

/** An executor that is no closure: there is one promise for every read. */
const newReader = (resolve: Reader['resolve'], reject: Reader['reject']): void => {
  reader = { resolve, reject }
}

const connection = Symbol('connection')

interface Owned extends Socket {
  [connection]: SocketConnection
}

const finished: IteratorResult<Uint8Array, void> = { done: true, value: undefined }

/** What a connection has for a socket when another has its own: it does nothing, and costs nothing. */
const nobody = new Socket().destroy()

/**
 * A socket as a duplex, what that travels on, and what comes from it: all in one object, and one that shares its functions,
 * because a proxy has two of these for every relay.
 *
 * As a source it hands one chunk to whoever waits for it; with nobody waiting it keeps one and reads no more. (Node's own
 * iterator costs a handshake three times as much.) Joined with another, each gives the other what it reads.
 */
export class SocketConnection
  implements SocketDuplex, SocketTransport, AsyncIterableIterator<Uint8Array, void>, Breakage
{
  socket: Socket
  error: unknown = undefined
  /** Whether what it reads comes in the buffer that all share. */
  readonly #isLent: boolean
  #ahead: Uint8Array[] | undefined = undefined
  #readers: Reader[] | undefined = undefined
  /** Nothing comes any more that anybody reads. */
  #ended = false
  #closed = false
  /** It was closed in place of saying its end. */
  #finished = false
  /** Its sink was called or its source returned. */
  #used = false
  #local: Address | undefined = undefined
  #remote: Address | undefined = undefined
  #whenDrained: (() => void) | undefined = undefined
  #whenBroken: ((error: unknown) => void) | undefined = undefined
  #whenFlushed: ((error?: Error | null) => void) | undefined = undefined
  #elsewhere: ((reason: unknown) => void) | undefined = undefined
  /** Where what is read goes to, while it is joined. */
  #peer: SocketConnection | undefined = undefined
  #flow: Flow | undefined = undefined
  #direction: 'up' | 'down' = 'up'

  constructor(socket: Socket) {
    this.socket = socket
    ;(socket as Owned)[connection] = this
    socket.pause()
    if (socket.readableLength > 0) this.#ahead = [socket.read()]
    this.#isLent = !(socket instanceof TLSSocket) && readShared(socket, received)
    if (!this.#isLent) socket.on('data', chunkReceived)
    socket.on('end', ended).on('error', failed).on('close', closed)
    this.#ended = socket.readableEnded
    this.#closed = socket.closed
  }

  get source(): AsyncIterable<Uint8Array> {
    return this
  }

  get duplex(): SocketDuplex {
    return this
  }

  get transport(): SocketTransport | undefined {
    return this.socket instanceof TLSSocket ? undefined : this
  }

  get localAddress(): Address | undefined {
    return (this.#local ??= address(this.socket.localAddress, this.socket.localPort))
  }

  get remoteAddress(): Address | undefined {
    return (this.#remote ??= address(this.socket.remoteAddress, this.socket.remotePort))
  }

  sink(source: AsyncIterable<Bytes>): Promise<void> {
    this.#used = true
    return socketSink(this.socket, this, (reason) => this.abort(reason))(source)
  }

  abort(reason: unknown): void {
    if (this.#elsewhere !== undefined) return this.#elsewhere(reason)
    if (this.socket.destroyed) return
    this.error ??= reason
    reset(this.socket)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array, void>> {
    const value = this.#ahead?.shift()
    if (value !== undefined) return Promise.resolve({ done: false, value })
    if (this.#ended) return Promise.resolve(finished)
    if (this.socket.destroyed) return Promise.reject(breakage(this))
    const result = new Promise(newReader)
    this.#readers ??= []
    this.#readers.push(reader)
    this.socket.resume()
    return result
  }

  return(): Promise<IteratorResult<Uint8Array, void>> {
    const { socket } = this
    this.#used = true
    this.#ended = true
    this.#ahead = undefined
    this.#settle()
    if (socket.destroyed) return Promise.resolve(finished)
    // What still comes is thrown away, until the end or until nobody writes either: else it would never close.
    socket.resume()
    if (socket.writableFinished) destroySoon(socket)
    else socket.once('finish', () => destroySoon(socket))
    return Promise.resolve(finished)
  }

  write(bytes: Bytes): void {
    this.#give(bytes instanceof Uint8Array ? bytes : bytes.subarray(), bytes.byteLength, true)
  }

  get waiting(): number {
    return this.socket.writableLength
  }

  drained(act: () => void): void {
    if (this.#isBroken) return
    if (this.waiting === 0) act()
    else this.#whenDrained = act
  }

  broken(act: ((error: unknown) => void) | undefined): void {
    this.#whenBroken = act
    if (this.#closed && !this.#isClean) this.#tellBroken()
  }

  unread(bytes: Bytes): void {
    if (bytes.byteLength === 0) return
    this.#ahead ??= []
    this.#ahead.unshift(bytes.subarray())
  }

  join(target: Transport, flow: Flow): boolean {
    if (!(target instanceof SocketConnection) || target === this || this.#taken || target.#taken) return false
    this.#joinTo(target, flow, 'up')
    target.#joinTo(this, flow, 'down')
    this.#forward()
    target.#forward()
    // Nothing else tells of what was over before.
    if (this.#closed || target.#closed) {
      queueMicrotask(() => {
        if (this.#closed) this.closed()
        if (target.#closed) target.closed()
      })
    }
    return true
  }

  get detachable(): boolean {
    return !this.#taken && !this.#isBroken
  }

  detach(abort: (reason: unknown) => void): Detached {
    if (!this.detachable) throw new Error('the socket is still being read or written, or is not its own any more')
    const { socket } = this
    const ahead = this.#ahead ?? []
    // Asked for later there would be none.
    this.#remote = this.remoteAddress
    this.socket = nobody
    this.#ahead = undefined
    this.#whenBroken = undefined
    this.#elsewhere = abort
    socket.off('data', chunkReceived).off('end', ended).off('close', closed).pause()
    if (socket.readableLength > 0) ahead.push(socket.read())
    const left = { ahead, ended: hasEnded(socket) }
    stopReading(socket)
    return left
  }

  /** Bytes have come; `lent` are those that are to be copied by whoever keeps them. Returns whether to read on. */
  received(bytes: Uint8Array, length: number, lent: boolean): boolean {
    // What is ahead waits for the peer, and this behind it.
    if (this.#peer !== undefined && this.#ahead === undefined) {
      this.#flow?.passed(this.#direction, length)
      return this.#peer.#give(bytes, length, lent)
    }
    const reader = this.#readers?.shift()
    if (reader === undefined && this.#ended) return true
    const chunk = lent ? copy(bytes, 0, length) : bytes
    if (reader !== undefined) {
      reader.resolve({ done: false, value: chunk })
      return true
    }
    this.#ahead ??= []
    this.#ahead.push(chunk)
    return false
  }

  /** The peer has ended. */
  ended(): void {
    this.#ended = true
    this.#settle()
    // With something ahead of the end it has to wait.
    if (this.#peer !== undefined && this.#ahead === undefined) this.#peer.#finish()
  }

  closed(): void {
    this.#closed = true
    this.#settle()
    if (this.#isClean) this.#over()
    else this.#tellBroken()
  }

  /** Whether it has said and heard all. */
  get #isClean(): boolean {
    return this.socket.readableEnded && (this.socket.writableFinished || this.#finished)
  }

  /** Whether nothing goes any more, be it that nobody has been told yet. */
  get #isBroken(): boolean {
    return (this.socket.destroyed || this.socket.errored !== null) && !this.#isClean
  }

  get #taken(): boolean {
    return (
      this.#used ||
      this.#peer !== undefined ||
      this.#elsewhere !== undefined ||
      (this.#readers !== undefined && this.#readers.length > 0)
    )
  }

  #joinTo(peer: SocketConnection, flow: Flow, direction: 'up' | 'down'): void {
    this.#peer = peer
    this.#flow = flow
    this.#direction = direction
    this.#whenBroken = undefined
  }

  /** Gives the peer what there is, what was read ahead first, and reads on unless the peer is full. */
  #forward(): void {
    const peer = this.#peer
    if (peer === undefined) return
    while (this.#ahead !== undefined) {
      const bytes = this.#ahead.shift()
      if (this.#ahead.length === 0) this.#ahead = undefined
      if (bytes === undefined) continue
      this.#flow?.passed(this.#direction, bytes.length)
      if (!peer.#give(bytes, bytes.length, false)) return
    }
    if (peer.waiting > 0) return
    if (this.socket.readableEnded) peer.#finish()
    else this.#read()
  }

  #read(): void {
    if (this.#isLent) startReading(this.socket)
    else this.socket.resume()
  }

  /** Sends bytes. What the kernel does not take waits, as a copy where they are only lent. Returns whether nothing waits. */
  #give(bytes: Uint8Array, length: number, lent: boolean): boolean {
    const { socket } = this
    const sent = socket.writableLength > 0 ? 0 : writeNow(socket, bytes, length)
    if (sent === length) return true
    if (socket.destroyed) return false
    const rest = lent ? copy(bytes, sent, length) : bytes.subarray(sent, length)
    this.#whenFlushed ??= (error) => {
      // Nothing waits any more, for it could not be written.
      if (error === null || error === undefined) this.#flushed()
    }
    socket.write(rest, this.#whenFlushed)
    return false
  }

  /** Says the end. Where the other has said its own, closing does that, too, and it takes two calls to the system less. */
  #finish(): void {
    const { socket } = this
    if (!socket.readableEnded || socket.writableLength > 0) return void socket.end()
    this.#finished = !socket.destroyed
    socket.destroy()
  }

  #flushed(): void {
    if (this.socket.writableLength > 0 || this.socket.destroyed) return
    const act = this.#whenDrained
    this.#whenDrained = undefined
    act?.()
    if (this.#peer !== undefined) this.#peer.#forward()
  }

  #tellBroken(): void {
    const error = breakage(this)
    const act = this.#whenBroken
    this.#whenBroken = undefined
    act?.(error)
    this.#part()?.failed(error)
  }

  /** Both directions have ended; and where those of the other have, too, so has the relay. */
  #over(): void {
    const peer = this.#peer
    if (peer !== undefined && peer.#closed) this.#part()?.ended()
  }

  /** The relay is over: whose it was, the first time. */
  #part(): Flow | undefined {
    const flow = this.#flow
    const peer = this.#peer
    if (peer !== undefined) {
      peer.#flow = undefined
      peer.#peer = undefined
    }
    this.#flow = undefined
    this.#peer = undefined
    return flow
  }

  /** Whoever still waits for something to read hears that nothing comes. */
  #settle(): void {
    const readers = this.#readers
    if (readers === undefined) return
    this.#readers = undefined
    for (const { resolve, reject } of readers) {
      if (this.#ended) resolve(finished)
      else reject(breakage(this))
    }
  }
}

const copy = (bytes: Uint8Array, start: number, end: number): Uint8Array => Buffer.from(bytes.subarray(start, end))

/** A unix socket has no addresses. */
const address = (host: string | undefined, port: number | undefined): Address | undefined =>
  host === undefined || port === undefined ? undefined : { host: canonicalHost(host), port }

/**
 * Once what has come by now is read: left unread it would be a reset, and that may overtake what was said last. Between the
 * first turn and the second all that is there is read, whenever this one is called.
 */
const destroySoon = (socket: Socket): void => void setImmediate(() => setImmediate(() => socket.destroy()))

/** RST where there is one: only TCP sockets have it, and TLS hides its own. */
const reset = (socket: Socket): void => {
  const tcp = socket.remoteFamily !== undefined && !(socket instanceof TLSSocket)
  if (tcp) socket.resetAndDestroy()
  else socket.destroy()
}

function received(this: Socket, length: number, buffer: Uint8Array): boolean {
  return (this as Owned)[connection].received(buffer, length, true)
}

function chunkReceived(this: Socket, chunk: Uint8Array): void {
  if (!(this as Owned)[connection].received(chunk, chunk.length, false)) this.pause()
}

function ended(this: Socket): void {
  ;(this as Owned)[connection].ended()
}

function failed(this: Socket, error: Error): void {
  ;(this as Owned)[connection].error ??= error
}

function closed(this: Socket): void {
  ;(this as Owned)[connection].closed()
}

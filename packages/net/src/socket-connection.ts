import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { canonicalHost, type Address } from '@it-socks/protocol'
import type { Bytes, Flow, Transport } from '@it-socks/stage'
import { detach } from './connection/detach.ts'
import { closed, forward, joinTo, tellBroken } from './connection/join.ts'
import { ended, next, received, stopReading } from './connection/read.ts'
import { finished, isBroken, isClean, isTaken, type Reader, type Result, type State } from './connection/state.ts'
import { drained, give } from './connection/write.ts'
import { readShared } from './shared-reads.ts'
import type { SocketDuplex } from './socket-duplex.ts'
import { socketSink } from './socket-sink.ts'
import type { Detached, SocketTransport } from './socket-transport.ts'

const connection = Symbol('connection')

interface Owned extends Socket {
  [connection]: SocketConnection
}

/**
 * A socket as a duplex, what that travels on, and what comes from it: all in one object, and one that shares its functions,
 * because a proxy has two of these for every relay.
 *
 * As a source it hands one chunk to whoever waits for it; with nobody waiting it keeps one and reads no more. Joined with
 * another, each gives the other what it reads.
 */
export class SocketConnection implements State, SocketDuplex, SocketTransport, AsyncIterableIterator<Uint8Array, void> {
  socket: Socket
  readonly isLent: boolean
  error: unknown = undefined
  ahead: Uint8Array[] | undefined = undefined
  readers: Reader[] | undefined = undefined
  isEnded: boolean
  isClosed: boolean
  isFinished = false
  isUsed = false
  whenDrained: (() => void) | undefined = undefined
  whenBroken: ((error: unknown) => void) | undefined = undefined
  whenWritten: ((error?: Error | null) => void) | undefined = undefined
  elsewhere: ((reason: unknown) => void) | undefined = undefined
  peer: State | undefined = undefined
  flow: Flow | undefined = undefined
  direction: 'up' | 'down' = 'up'
  #local: Address | undefined = undefined
  #remote: Address | undefined = undefined

  constructor(socket: Socket) {
    this.socket = socket
    ;(socket as Owned)[connection] = this
    socket.pause()
    if (socket.readableLength > 0) this.ahead = [socket.read()]
    this.isLent = !(socket instanceof TLSSocket) && readShared(socket, sharedReceived)
    if (!this.isLent) socket.on('data', chunkReceived)
    socket.on('end', endHeard).on('error', failed).on('close', closeHeard)
    this.isEnded = socket.readableEnded
    this.isClosed = socket.closed
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

  /** it-pipe takes it off and calls it by itself. */
  get sink(): SocketDuplex['sink'] {
    return (source) => {
      this.isUsed = true
      return socketSink(this.socket, this, (reason) => this.abort(reason))(source)
    }
  }

  abort(reason: unknown): void {
    if (this.elsewhere !== undefined) return this.elsewhere(reason)
    if (this.socket.destroyed) return
    this.error ??= reason
    reset(this.socket)
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
    give(this, bytes instanceof Uint8Array ? bytes : bytes.subarray(), bytes.byteLength, true)
  }

  get waiting(): number {
    return this.socket.writableLength
  }

  drained(act: () => void): void {
    drained(this, act)
  }

  broken(act: ((error: unknown) => void) | undefined): void {
    this.whenBroken = act
    if (this.isClosed && !isClean(this)) tellBroken(this)
  }

  unread(bytes: Bytes): void {
    if (bytes.byteLength === 0) return
    this.ahead ??= []
    this.ahead.unshift(bytes.subarray())
  }

  join(target: Transport, flow: Flow): boolean {
    if (!(target instanceof SocketConnection) || target === this || isTaken(this) || isTaken(target)) return false
    joinTo(this, target, flow)
    return true
  }

  forward(): void {
    forward(this)
  }

  get detachable(): boolean {
    return !isTaken(this) && !isBroken(this)
  }

  detach(abort: (reason: unknown) => void): Detached {
    if (!this.detachable) throw new Error('the socket is still being read or written, or is not its own any more')
    // Asked for later there would be none.
    this.#remote = this.remoteAddress
    this.socket.off('data', chunkReceived).off('end', endHeard).off('close', closeHeard)
    return detach(this, abort)
  }
}

/** A unix socket has no addresses. */
const address = (host: string | undefined, port: number | undefined): Address | undefined =>
  host === undefined || port === undefined ? undefined : { host: canonicalHost(host), port }

/** RST where there is one: only TCP sockets have it, and TLS hides its own. */
const reset = (socket: Socket): void => {
  const tcp = socket.remoteFamily !== undefined && !(socket instanceof TLSSocket)
  if (tcp && !isEnding(socket)) socket.resetAndDestroy()
  else socket.destroy()
}

/** While its FIN is on the way libuv refuses to reset it, and Node would lose the descriptor for good. */
const isEnding = (socket: Socket): boolean =>
  socket.writableEnded && !socket.writableFinished && socket.writableLength === 0

function sharedReceived(this: Socket, length: number, buffer: Uint8Array): boolean {
  return received((this as Owned)[connection], buffer, length, true)
}

function failed(this: Socket, error: Error): void {
  ;(this as Owned)[connection].error ??= error
}

function chunkReceived(this: Socket, chunk: Uint8Array): void {
  if (!received((this as Owned)[connection], chunk, chunk.length, false)) this.pause()
}

function endHeard(this: Socket): void {
  ended((this as Owned)[connection])
}

function closeHeard(this: Socket): void {
  closed((this as Owned)[connection])
}

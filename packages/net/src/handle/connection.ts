import { canonicalHost, type Address } from '@it-socks/protocol'
import { keepSpecimens, type Bytes, type Flow, type Transport } from '@it-socks/stage'
import type { Detached, DescriptorTransport } from '../descriptor-transport.ts'
import type { SocketDuplex } from '../socket-duplex.ts'
import { finished, giveBack, type Reader, type Result, type Writer } from '../waiters.ts'
import { reset } from './end.ts'
import { forward, joinTo } from './join.ts'
import type { Handle, SocketName, TcpHandle } from './libuv.ts'
import { discard, listenTo, next, stopReading } from './read.ts'
import { isWhole, type State } from './state.ts'
import { consume, drained, give } from './write.ts'

/**
 * A connection: all there is of it in one object, and one that shares its functions, because a proxy has two of these for
 * every relay. Below it is what Node's own sockets have below them, and none of those.
 *
 * As a source it hands one chunk to whoever waits for it; with nobody waiting it keeps a few and reads no more. Joined with
 * another, each gives the other what it reads.
 */
class Connection implements State, SocketDuplex, DescriptorTransport, AsyncIterableIterator<Uint8Array, void> {
  readonly handle: Handle
  error: unknown = undefined
  ahead: Uint8Array[] | undefined = undefined
  reader: Reader | undefined = undefined
  writer: Writer | undefined = undefined
  isReading = false
  isEnded = false
  isDiscarding = false
  isClosed = false
  saying: State['saying'] = 'bytes'
  waiting = 0
  whenDrained: (() => void) | undefined = undefined
  whenBroken: ((error: unknown) => void) | undefined = undefined
  elsewhere: ((reason: unknown) => void) | undefined = undefined
  peer: State | undefined = undefined
  flow: Flow | undefined = undefined
  direction: 'up' | 'down' = 'up'
  readonly remoteAddress: Address | undefined
  private local: Address | undefined = undefined

  constructor(handle: Handle, remote: Address | undefined) {
    this.handle = handle
    this.remoteAddress = remote
    listenTo(handle, this)
  }

  get source(): this {
    return this
  }

  get duplex(): this {
    return this
  }

  get transport(): this {
    return this
  }

  get localAddress(): Address | undefined {
    if (this.local === undefined && this.remoteAddress !== undefined && !this.isClosed) {
      this.local = nameOf(this.handle as TcpHandle, 'getsockname')
    }
    return this.local
  }

  /** it-pipe takes it off and calls it by itself. */
  get sink(): SocketDuplex['sink'] {
    return (source) => consume(this, source)
  }

  abort(reason: unknown): void {
    if (this.elsewhere === undefined) reset(this, reason)
    else this.elsewhere(reason)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    return next(this)
  }

  return(): Promise<Result> {
    discard(this)
    return Promise.resolve(finished)
  }

  write(bytes: Bytes): void {
    give(this, bytes instanceof Uint8Array ? bytes : bytes.subarray(), bytes.byteLength, true)
  }

  drained(act: () => void): void {
    drained(this, act)
  }

  broken(act: ((error: unknown) => void) | undefined): void {
    this.whenBroken = act
    if (!this.isClosed || this.error === undefined) return
    this.whenBroken = undefined
    act?.(this.error)
  }

  unread(bytes: Bytes): void {
    giveBack(this, bytes)
  }

  join(target: Transport, flow: Flow): boolean {
    if (!(target instanceof Connection) || target === this || !isWhole(this) || !isWhole(target)) return false
    joinTo(this, target, flow)
    return true
  }

  forward(): void {
    forward(this)
  }

  get descriptor(): number | undefined {
    const { fd = -1 } = this.handle
    return fd < 0 ? undefined : fd
  }

  get detachable(): boolean {
    return isWhole(this)
  }

  detach(abort: (reason: unknown) => void): Detached {
    if (!this.detachable) throw new Error('it is still being read or written, or is not its own any more')
    const { ahead = [], isEnded: ended } = this
    stopReading(this)
    this.ahead = undefined
    this.whenBroken = undefined
    this.isEnded = false
    this.isClosed = true
    this.elsewhere = abort
    this.handle.close()
    return { ahead, ended }
  }
}

keepSpecimens(new Connection({ useUserBuffer() {} } as unknown as Handle, undefined))

/** A connection as a duplex, which owns the handle from here on; without an address it is one on a unix socket. */
export const connectionOf = (handle: Handle, remote: Address | undefined): SocketDuplex =>
  new Connection(handle, remote)

/** The address of this end or of the other; nothing where the connection is gone already. */
export const nameOf = (handle: TcpHandle, which: 'getsockname' | 'getpeername'): Address | undefined => {
  const name: Partial<SocketName> = {}
  if (handle[which](name) !== 0) return undefined
  const { address, port } = name as SocketName
  return { host: canonicalHost(address), port }
}

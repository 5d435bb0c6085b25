import type { Endpoint, ListenOptions, Listener, SocketDuplex } from '@it-socks/net'
import { ClosedError, ConfigurationError } from '@it-socks/protocol'
import { never, onAbort } from '@it-socks/stage'
import {
  EAGAIN,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  EPOLLET,
  EPOLLIN,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  accept4,
  close,
  loop,
  systemError,
  type Watcher
} from '@it-socks/syscall'
import { readAddress, scratch } from './address.ts'
import { closeDescriptor, whenFreed } from './descriptors.ts'
import { hostsOf, listenAt, listenOn, type Bound } from './endpoint.ts'
import { watchStream } from './stream.ts'
import { uncaught } from './uncaught.ts'

/** So many are accepted before others have their turn, and before those who take them have one. */
const acceptedAtOnce = 64
/** There is no room, neither ours nor the system's. What else goes wrong is the end of one connection alone. */
const wants: ReadonlySet<number> = new Set([-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM])

/**
 * Listens for connections, on TCP or a unix socket, as `listen` of `@it-socks/net` does.
 *
 * Where there are no more descriptors `onAcceptError` is told once; clients wait then, and are let in as others leave.
 */
export const listen = (endpoint: Endpoint, options: ListenOptions = {}): Listener => new Accepting(endpoint, options)

type Result = IteratorResult<SocketDuplex, undefined>
const finished: Result = { done: true, value: undefined }

class Accepting implements Listener, Watcher, AsyncIterator<SocketDuplex, undefined> {
  readonly listening: Promise<Endpoint>
  private readonly accept: (connection: SocketDuplex) => void
  private readonly told: (error: Error) => void
  private readonly pending: number
  private readonly isTcp: boolean
  private readonly reusePort: boolean
  private readonly forgetSignal: () => void
  private forgetWant: (() => void) | undefined = undefined
  private isTold = false
  private bound: Bound | undefined = undefined
  private closed = false
  private error: { readonly reason: unknown } | undefined = undefined
  private waiting: SocketDuplex[] = []
  private takers: Array<{ resolve: (result: Result) => void; reject: (error: unknown) => void }> = []

  constructor(
    endpoint: Endpoint,
    { signal = never, pending = 128, onAcceptError = () => {}, reusePort = false, accept }: ListenOptions
  ) {
    if (reusePort && 'path' in endpoint) throw new ConfigurationError('a unix socket has no port to share')
    this.accept = accept ?? ((connection) => this.offer(connection))
    this.pending = accept === undefined ? pending : Infinity
    this.told = onAcceptError
    this.reusePort = reusePort
    this.isTcp = 'port' in endpoint
    this.listening = this.open(endpoint)
    this.listening.catch((reason: unknown) => this.end({ reason }))
    this.forgetSignal = onAbort(signal, () => this.close())
    if (this.closed) this.forgetSignal()
  }

  close(): void {
    this.end()
  }

  [Symbol.asyncIterator](): AsyncIterator<SocketDuplex, undefined> {
    return this
  }

  next(): Promise<Result> {
    const value = this.waiting.shift()
    if (value !== undefined) return Promise.resolve({ done: false, value })
    if (!this.closed) return new Promise((resolve, reject) => this.takers.push({ resolve, reject }))
    const { error } = this
    this.error = undefined
    return error === undefined ? Promise.resolve(finished) : Promise.reject(error.reason)
  }

  return(): Promise<Result> {
    this.close()
    for (const connection of this.waiting.splice(0)) connection.abort(new ClosedError('nobody took the connection'))
    return Promise.resolve(finished)
  }

  ready(): void {
    const { bound } = this
    if (bound === undefined || this.forgetWant !== undefined) return
    // Not more than those who take them have room for: they take none before all of this batch is told.
    for (let room = Math.min(acceptedAtOnce, Math.max(this.pending, 1)); room > 0; room--) {
      scratch.clear()
      const fd = accept4(bound.fd, scratch.address, scratch.lengthAddress, SOCK_NONBLOCK | SOCK_CLOEXEC)
      if (fd === -EAGAIN) {
        this.isTold = false
        return
      }
      if (wants.has(fd)) return this.want(systemError(fd, 'accept'))
      if (fd >= 0) this.take(fd)
      if (this.closed) return
    }
    loop.again(this)
  }

  private async open(endpoint: Endpoint): Promise<Endpoint> {
    // A path needs no lookup, but may be closed before it is listened on all the same.
    const hosts = await hostsOf('port' in endpoint ? endpoint.host : '')
    // Looking the host up took longer than somebody's patience.
    if (this.closed) throw new ClosedError('closed before it listened')
    const bound = 'path' in endpoint ? listenAt(endpoint.path) : listenOn(hosts, endpoint.port, this.reusePort)
    this.bound = bound
    loop.watch(bound.fd, EPOLLIN | EPOLLET, this)
    return bound.endpoint
  }

  private end(error?: { readonly reason: unknown }): void {
    if (this.closed) return
    this.closed = true
    this.forgetSignal?.()
    this.forgetWant?.()
    const { bound } = this
    this.bound = undefined
    if (bound !== undefined) {
      closeDescriptor(bound.fd)
      bound.remove()
    }
    const [first, ...others] = this.takers.splice(0)
    if (first === undefined) this.error = error
    else if (error === undefined) first.resolve(finished)
    else first.reject(error.reason)
    for (const { resolve } of others) resolve(finished)
  }

  private take(fd: number): void {
    const remote = readAddress()
    // Rules would take one without an address for somebody on a unix socket.
    if (this.isTcp && remote === undefined) return void close(fd)
    let connection: SocketDuplex
    try {
      connection = watchStream(fd, this.isTcp ? remote : undefined)
    } catch (error) {
      close(fd)
      return this.told(error as Error)
    }
    try {
      this.accept(connection)
    } catch (error) {
      uncaught(error)
    }
  }

  private offer(connection: SocketDuplex): void {
    const taker = this.takers.shift()
    if (taker !== undefined) taker.resolve({ done: false, value: connection })
    else if (this.waiting.length >= this.pending) connection.abort(new ClosedError())
    else this.waiting.push(connection)
  }

  /** Waits for a descriptor. Whoever connects waits in the kernel meanwhile. */
  private want(error: Error): void {
    this.forgetWant = whenFreed(() => {
      this.forgetWant = undefined
      loop.again(this)
    })
    if (this.isTold) return
    this.isTold = true
    this.told(error)
  }
}

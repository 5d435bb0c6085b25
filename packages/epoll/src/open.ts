import type { Open, SocketDuplex } from '@it-socks/net'
import { canonicalHost, unspecified, type Address } from '@it-socks/protocol'
import { relayedEvents } from '@it-socks/splice'
import { cancellationOf, keepSpecimens, type Cancellation } from '@it-socks/stage'
import {
  EINPROGRESS,
  EPOLLERR,
  EPOLLHUP,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  TCP_NODELAY,
  bind,
  close,
  connect,
  loop,
  socket,
  type Watcher
} from '@it-socks/syscall'
import { addressError, familyOf, scratch, writeAddress } from './address.ts'
import { closeDescriptor } from './descriptors.ts'
import { setOption, takeError } from './options.ts'
import { streamOf } from './stream.ts'

/** Connects one socket; rejects with the system's error, or with the reason of who cancels it and no socket. */
export const open: Open = (address, options) =>
  new Promise((resolve, reject) => {
    const { localAddress } = options
    const cancellation = options.cancellation ?? cancellationOf(options.signal)
    if (cancellation.aborted) throw cancellation.reason
    const fd = socketTo(address)
    try {
      if (localAddress !== undefined) bindTo(fd, localAddress)
      const result = connect(fd, scratch.address, writeAddress(address))
      if (result < 0 && result !== -EINPROGRESS) throw addressError(result, 'connect', address)
      const connecting = new Connecting(fd, address, cancellation, resolve, reject)
      loop.watch(fd, relayedEvents, connecting)
      cancellation.listen(connecting.cancelled)
    } catch (error) {
      close(fd)
      reject(error)
    }
  })

const socketTo = (address: Address): number => {
  const fd = socket(familyOf(address.host), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  if (fd < 0) throw addressError(fd, 'connect', address)
  setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1)
  return fd
}

const bindTo = (fd: number, host: string): void => {
  const local = { host, port: 0 }
  setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
  const result = bind(fd, scratch.address, writeAddress(local))
  if (result < 0) throw addressError(result, 'bind', local)
}

/** A socket on its way. */
class Connecting implements Watcher {
  private readonly fd: number
  private readonly address: Address
  private readonly cancellation: Cancellation
  private readonly resolve: (connection: SocketDuplex) => void
  private readonly reject: (error: unknown) => void
  private over = false
  readonly cancelled = (): void => this.fail(this.cancellation.reason)

  constructor(
    fd: number,
    address: Address,
    cancellation: Cancellation,
    resolve: (connection: SocketDuplex) => void,
    reject: (error: unknown) => void
  ) {
    this.fd = fd
    this.address = address
    this.cancellation = cancellation
    this.resolve = resolve
    this.reject = reject
  }

  ready(events: number): void {
    if (this.over) return
    // Room to write and nothing else: it is there, and nobody has to ask.
    const errno = (events & (EPOLLERR | EPOLLHUP)) === 0 ? 0 : takeError(this.fd)
    if (errno !== 0) return this.fail(addressError(errno, 'connect', this.address))
    this.over = true
    this.cancellation.forget(this.cancelled)
    const { fd, address } = this
    const connection = streamOf(fd, { host: canonicalHost(address.host), port: address.port }, events)
    loop.pass(fd, connection)
    this.resolve(connection)
  }

  private fail(error: unknown): void {
    if (this.over) return
    this.over = true
    this.cancellation.forget(this.cancelled)
    closeDescriptor(this.fd)
    this.reject(error)
  }
}

const ignore = (): void => {}
keepSpecimens(new Connecting(-1, unspecified, cancellationOf(), ignore, ignore))

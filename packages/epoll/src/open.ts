import type { Open, SocketDuplex } from '@it-socks/net'
import { canonicalHost, type Address } from '@it-socks/protocol'
import { relayedEvents } from '@it-socks/splice'
import { onAbort } from '@it-socks/stage'
import {
  EINPROGRESS,
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
  familyOf,
  loop,
  socket,
  type Watcher
} from '@it-socks/syscall'
import { addressError, scratch, writeAddress } from './address.ts'
import { closeDescriptor } from './descriptors.ts'
import { setOption, takeError } from './options.ts'
import { streamOf } from './stream.ts'

/** Connects one socket; rejects with the system's error, or with the signal's reason and no socket. */
export const open: Open = (address, { localAddress, signal }) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const fd = socketTo(address)
    try {
      if (localAddress !== undefined) bindTo(fd, localAddress)
      const result = connect(fd, scratch.address, writeAddress(address))
      if (result < 0 && result !== -EINPROGRESS) throw addressError(result, 'connect', address)
      loop.watch(fd, relayedEvents, new Connecting(fd, address, signal, resolve, reject))
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
  private readonly resolve: (connection: SocketDuplex) => void
  private readonly reject: (error: unknown) => void
  private readonly release: () => void
  private over = false

  constructor(
    fd: number,
    address: Address,
    signal: AbortSignal,
    resolve: (connection: SocketDuplex) => void,
    reject: (error: unknown) => void
  ) {
    this.fd = fd
    this.address = address
    this.resolve = resolve
    this.reject = reject
    this.release = onAbort(signal, () => this.fail(signal.reason))
  }

  ready(events: number): void {
    if (this.over) return
    const errno = takeError(this.fd)
    if (errno !== 0) return this.fail(addressError(errno, 'connect', this.address))
    this.over = true
    this.release()
    const { fd, address } = this
    const connection = streamOf(fd, { host: canonicalHost(address.host), port: address.port }, events)
    loop.pass(fd, connection)
    this.resolve(connection)
  }

  private fail(error: unknown): void {
    if (this.over) return
    this.over = true
    this.release()
    closeDescriptor(this.fd)
    this.reject(error)
  }
}

import { SocksError, addressType, type Address } from '@it-socks/protocol'
import {
  joined,
  lengthOf,
  type Cancellation,
  type DatagramBinderOptions,
  type DatagramSocket,
  type Pieces
} from '@it-socks/stage'
import {
  AF_INET,
  EINVAL,
  EPOLLERR,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  loop,
  systemError,
  type Watcher
} from '@it-socks/syscall'
import { localAddressOf } from '../address.ts'
import { closeDescriptor } from '../descriptors.ts'
import { receive } from './receive.ts'
import { flush, send, type Sender } from './send.ts'

type Settings = Required<Pick<DatagramBinderOptions, 'received' | 'dropped'>> & {
  readonly cancellation: Cancellation
  readonly family: number
  /** How many bytes may wait to be sent. */
  readonly queue: number
}

/** So many calls receive before others have their turn. */
const receivedAtOnce = 4
const longest = 65_535
const EMSGSIZE = 90

interface Waiting {
  readonly data: Uint8Array
  readonly to: Address
}

/** A bound UDP socket as a `DatagramSocket`, which owns it from here on. @throws {SystemError} where it cannot be watched */
export const datagramSocket = (fd: number, settings: Settings): DatagramSocket => {
  const socket = new UdpSocket(fd, settings)
  loop.watch(fd, EPOLLIN | EPOLLOUT | EPOLLET, socket)
  settings.cancellation.listen(socket.cancelled)
  return socket
}

class UdpSocket implements DatagramSocket, Sender, Watcher {
  readonly fd: number
  readonly localAddress: Address
  private readonly settings: Settings
  private readonly type: 'ipv4' | 'ipv6'
  private queue: Waiting[] = []
  private queued = 0
  /** Whether what waits is being sent: what has no room again goes to the front. */
  private retrying = false
  private closed = false
  readonly cancelled = (): void => this.close()
  private readonly isOpen = (): boolean => !this.closed

  constructor(fd: number, settings: Settings) {
    this.fd = fd
    this.settings = settings
    this.type = settings.family === AF_INET ? 'ipv4' : 'ipv6'
    this.localAddress = localAddressOf(fd)!
  }

  send(data: Pieces, to: Address): void {
    if (this.closed) return
    const length = lengthOf(data)
    const error = this.mistake(length, to)
    if (error !== undefined) return this.settings.dropped(error)
    if (this.queued > 0) this.postponed(joined(data), to)
    else send(this, data, length, to)
  }

  close(): void {
    if (this.closed) return
    // What was sent before is sent, as far as there is room; who is refused is nobody's business any more.
    this.closed = true
    flush(this)
    this.settings.cancellation.forget(this.cancelled)
    this.queue = []
    this.queued = 0
    closeDescriptor(this.fd)
  }

  ready(events: number): void {
    if (this.closed) return
    if ((events & EPOLLOUT) !== 0 && this.queued > 0) this.retry()
    if (events === 0 || (events & (EPOLLIN | EPOLLERR)) !== 0) this.receive()
  }

  refused(errno: number): void {
    if (!this.closed) this.settings.dropped(systemError(errno, 'send'))
  }

  postponed(data: Uint8Array, to: Address): void {
    if (this.closed) return
    const { queue: limit, dropped } = this.settings
    if (!this.retrying && this.queued + data.length > limit) {
      return dropped(new SocksError(`more than ${limit} bytes wait to be sent`))
    }
    this.queue.push({ data, to })
    this.queued += data.length
  }

  private receive(): void {
    for (let calls = 0; calls < receivedAtOnce; calls++) {
      const receipt = receive(this.fd, this.settings.received, this.isOpen)
      if (receipt === 'all' || this.closed) return
      // The system has something to tell of one that was sent, and then goes on.
      if (receipt !== 'more') this.settings.dropped(systemError(receipt, 'recvmsg'))
    }
    if (!this.closed) loop.again(this)
  }

  /** Sends what waits, in order. */
  private retry(): void {
    const waiting = this.queue
    this.queue = []
    this.queued = 0
    this.retrying = true
    for (const { data, to } of waiting) {
      if (this.queued > 0) this.postponed(data, to)
      else send(this, data, data.length, to)
    }
    flush(this)
    this.retrying = false
  }

  private mistake(length: number, { host, port }: Address): Error | undefined {
    if (addressType(host) !== this.type) return systemError(-EINVAL, 'send')
    if (length > longest) return systemError(-EMSGSIZE, 'send')
    if (Number.isInteger(port) && port > 0 && port < 65_536) return undefined
    const error = new RangeError(`Port should be > 0 and < 65536. Received ${port}.`)
    return Object.assign(error, { code: 'ERR_SOCKET_BAD_PORT' })
  }
}

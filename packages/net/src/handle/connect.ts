import { addressType, canonicalHost, unspecified, type Address } from '@it-socks/protocol'
import { cancellationOf, keepSpecimens, type Cancellation } from '@it-socks/stage'
import type { Open } from '../open.ts'
import type { SocketDuplex } from '../socket-duplex.ts'
import { systemError } from '../system-error.ts'
import { connectionOf } from './connection.ts'
import { libuv, type Request, type TcpHandle } from './libuv.ts'

/** Connects a handle. */
export const connect: Open = (address, options) =>
  new Promise((resolve, reject) => {
    const cancellation = options.cancellation ?? cancellationOf(options.signal)
    if (cancellation.aborted) throw cancellation.reason
    const handle = new libuv!.Tcp(libuv!.socket)
    const connecting = new Connecting(handle, address, cancellation, resolve, reject)
    const { localAddress } = options
    const request = new libuv!.Connect()
    request.owner = connecting
    request.oncomplete = connected
    const bound = localAddress === undefined ? 0 : bind(handle, localAddress)
    if (bound !== 0) return connecting.fail(systemError(bound, 'bind', { host: localAddress!, port: 0 }))
    const { host } = address
    // To libuv -0 is no number, and it ends the process.
    const port = address.port >>> 0
    const begun =
      addressType(host) === 'ipv6' ? handle.connect6(request, host, port) : handle.connect(request, host, port)
    if (begun !== 0) return connecting.fail(systemError(begun, 'connect', address))
    cancellation.listen(connecting.cancelled)
  })

const bind = (handle: TcpHandle, ip: string): number =>
  addressType(ip) === 'ipv6' ? handle.bind6(ip, 0, 0) : handle.bind(ip, 0)

function connected(this: Request, status: number): void {
  ;(this.owner as Connecting).ended(status)
}

/** A connection on its way. */
class Connecting {
  private readonly handle: TcpHandle
  private readonly address: Address
  private readonly cancellation: Cancellation
  private readonly resolve: (connection: SocketDuplex) => void
  private readonly reject: (error: unknown) => void
  private isOver = false
  readonly cancelled = (): void => this.fail(this.cancellation.reason)

  constructor(
    handle: TcpHandle,
    address: Address,
    cancellation: Cancellation,
    resolve: (connection: SocketDuplex) => void,
    reject: (error: unknown) => void
  ) {
    this.handle = handle
    this.address = address
    this.cancellation = cancellation
    this.resolve = resolve
    this.reject = reject
  }

  ended(status: number): void {
    if (this.isOver) return
    if (status !== 0) return this.fail(systemError(status, 'connect', this.address))
    this.isOver = true
    this.cancellation.forget(this.cancelled)
    const { host, port } = this.address
    this.handle.setNoDelay(true)
    this.resolve(connectionOf(this.handle, { host: canonicalHost(host), port }))
  }

  fail(error: unknown): void {
    if (this.isOver) return
    this.isOver = true
    this.cancellation.forget(this.cancelled)
    this.handle.close()
    this.reject(error)
  }
}

const ignore = (): void => {}
keepSpecimens(new Connecting({} as TcpHandle, unspecified, cancellationOf(), ignore, ignore))

import { connect, type TcpNetConnectOpts } from 'node:net'
import type { Address } from '@it-socks/protocol'
import { cancellationOf, type Cancellation } from '@it-socks/stage'
import { SocketConnection } from './socket-connection.ts'
import type { SocketDuplex } from './socket-duplex.ts'

export interface OpenOptions {
  /** The local IP address to connect from. Default: the system chooses. */
  readonly localAddress?: string | undefined
  /** Gives up: the promise rejects with its reason, and nothing stays open. */
  readonly signal: AbortSignal
  /** The same at a lower price: a signal is made for who asks for it. */
  readonly cancellation?: Cancellation
}

/**
 * Connects to one IP address over TCP: what `dial` tries each address with. Rejects with the system's error, or with the
 * signal's reason.
 */
export type Open = (address: Address, options: OpenOptions) => Promise<SocketDuplex>

/** Connects a socket of Node's. */
export const openSocket: Open = ({ host, port }, options) =>
  new Promise((resolve, reject) => {
    const { localAddress } = options
    const cancel = options.cancellation ?? cancellationOf(options.signal)
    if (cancel.aborted) throw cancel.reason
    const to: TcpNetConnectOpts = { host, port, allowHalfOpen: true, noDelay: true }
    if (localAddress !== undefined) to.localAddress = localAddress
    const socket = connect(to)
    const connection = new SocketConnection(socket)
    const cancelled = (): void => {
      connection.broken(undefined)
      socket.destroy()
      reject(cancel.reason)
    }
    connection.broken((error) => {
      cancel.forget(cancelled)
      reject(error)
    })
    socket.once('connect', () => {
      cancel.forget(cancelled)
      connection.broken(undefined)
      resolve(connection)
    })
    cancel.listen(cancelled)
  })

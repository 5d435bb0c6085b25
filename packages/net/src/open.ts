import { connect, type TcpNetConnectOpts } from 'node:net'
import type { Address } from '@it-socks/protocol'
import { onAbort } from '@it-socks/stage'
import { socketDuplex, type SocketDuplex } from './socket-duplex.ts'

export interface OpenOptions {
  /** The local IP address to connect from. Default: the system chooses. */
  localAddress?: string
  /** Gives up: the promise rejects with its reason, and nothing stays open. */
  signal: AbortSignal
}

/**
 * Connects to one IP address over TCP: what `dial` tries each address with. Rejects with the system's error, or with the
 * signal's reason.
 */
export type Open = (address: Address, options: OpenOptions) => Promise<SocketDuplex>

/** Connects a socket of Node's. */
export const openSocket: Open = ({ host, port }, { localAddress, signal }) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const options: TcpNetConnectOpts = { host, port, allowHalfOpen: true, noDelay: true }
    if (localAddress !== undefined) options.localAddress = localAddress
    const socket = connect(options)
    const release = onAbort(signal, () => {
      socket.destroy()
      reject(signal.reason)
    })
    const failed = (error: Error): void => {
      release()
      reject(error)
    }
    socket.once('error', failed).once('connect', () => {
      socket.off('error', failed)
      release()
      resolve(socketDuplex(socket))
    })
  })

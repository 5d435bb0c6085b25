import { connect, type TcpNetConnectOpts } from 'node:net'
import { cancellationOf } from '@it-socks/stage'
import { ClosedError } from '@it-socks/protocol'
import type { Open } from '../open.ts'
import type { Stack } from '../stack.ts'
import { socketDuplex } from './duplex.ts'

const accept: Stack['accept'] = (server, isTcp, take) => {
  server.on('connection', (socket) => {
    const connection = socketDuplex(socket)
    // Who has reset it already has no address any more, and rules would take it for somebody on a unix socket.
    if (isTcp && connection.remoteAddress === undefined) connection.abort(new ClosedError())
    else take(connection)
  })
}

const open: Open = ({ host, port }, options) =>
  new Promise((resolve, reject) => {
    const { localAddress } = options
    const cancel = options.cancellation ?? cancellationOf(options.signal)
    if (cancel.aborted) throw cancel.reason
    const to: TcpNetConnectOpts = { host, port, allowHalfOpen: true, noDelay: true }
    if (localAddress !== undefined) to.localAddress = localAddress
    const socket = connect(to)
    const failed = (error: unknown): void => {
      cancel.forget(cancelled)
      reject(error)
    }
    const cancelled = (): void => {
      socket.destroy()
      reject(cancel.reason)
    }
    socket.on('error', failed).once('connect', () => {
      cancel.forget(cancelled)
      socket.off('error', failed)
      resolve(socketDuplex(socket))
    })
    cancel.listen(cancelled)
  })

/** Node's own sockets, and nothing that is not public. */
export const socketStack: Stack = { accept, open }

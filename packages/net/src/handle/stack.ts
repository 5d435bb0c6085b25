import type { Server } from 'node:net'
import type { Stack } from '../stack.ts'
import { systemError } from '../system-error.ts'
import { connect } from './connect.ts'
import { connectionOf, nameOf } from './connection.ts'
import { libuv, type Handle, type TcpHandle } from './libuv.ts'

/** What a server that listens has of libuv. */
interface ListeningHandle {
  onconnection: (status: number, handle?: Handle) => void
}

const accept: Stack['accept'] = (server, isTcp, take) => {
  server.once('listening', () => {
    listeningHandleOf(server).onconnection = (status, handle) => {
      if (handle === undefined) return void server.emit('error', systemError(status, 'accept'))
      if (!isTcp) return take(connectionOf(handle, undefined))
      const tcp = handle as TcpHandle
      const remote = nameOf(tcp, 'getpeername')
      // Who has reset it already has no address any more, and rules would take it for somebody on a unix socket.
      if (remote === undefined) return tcp.close()
      tcp.setNoDelay(true)
      take(connectionOf(tcp, remote))
    }
  })
}

const listeningHandleOf = (server: Server): ListeningHandle => {
  const { _handle: handle } = server as unknown as { _handle: ListeningHandle }
  return handle
}

/**
 * What is below Node's sockets, without them: they cost more than all that a proxy does with them. Nothing where libuv is
 * not what we know.
 */
export const handleStack: Stack | undefined = libuv === undefined ? undefined : { accept, open: connect }

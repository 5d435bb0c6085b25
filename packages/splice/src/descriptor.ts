import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { F_DUPFD_CLOEXEC, fcntl } from '@it-socks/syscall'

/** The descriptor of one of Node's sockets; `undefined` where there is none, or its bytes are not the connection's. */
export const descriptorOf = (socket: Socket): number | undefined => {
  if (socket instanceof TLSSocket) return undefined
  // Not documented, and there since Node 0.6.
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } | null }
  const fd = handle?.fd
  return fd !== undefined && fd >= 0 ? fd : undefined
}

/** Another descriptor of the same socket, or a negative errno: there may be no more descriptors. */
export const duplicate = (fd: number): number => fcntl(fd, F_DUPFD_CLOEXEC, 0)

import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { handleOf } from './handle.ts'

/**
 * Writes what the kernel takes at once, without anything left behind: `bytes` are the caller's again. Nothing may wait in
 * the socket, or it would be overtaken. Where the peer is gone the socket is destroyed, as a write of its own would do.
 *
 * @returns how many bytes went; none where a socket has no descriptor (Windows)
 */
export const writeNow = (socket: Socket, bytes: Uint8Array, length: number): number => {
  if (socket.connecting) return 0
  // Asked for each time: the number of a descriptor that was closed is soon somebody else's.
  const fd = handleOf(socket)?.fd
  if (fd === undefined || fd < 0) return 0
  try {
    return writeSync(fd, bytes, 0, length)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') socket.destroy(error as Error)
    return 0
  }
}

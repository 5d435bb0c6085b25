import type { Socket } from 'node:net'

/** What a socket has of libuv, as far as we use it. Any of it may be missing. */
export interface Handle {
  /** Its descriptor, where sockets have one. */
  readonly fd?: number
  useUserBuffer?(buffer: Uint8Array): void
}

/** The socket's handle; it has none before it connects and after it closed. */
export const handleOf = (socket: Socket): Handle | undefined => {
  const { _handle: handle } = socket as { _handle?: Handle | null }
  return handle ?? undefined
}

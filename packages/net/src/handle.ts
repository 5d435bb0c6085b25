import type { Socket } from 'node:net'

/** What a socket has of libuv, as far as we use it. Any of it may be missing. */
export interface Handle {
  /** Its descriptor, where sockets have one. */
  readonly fd?: number
  /** Whether Node believes that it is being read. */
  reading?: boolean
  readStart?(): number
  readStop?(): number
  useUserBuffer?(buffer: Uint8Array): void
}

/** The socket's handle; it has none before it connects and after it closed. */
export const handleOf = (socket: Socket): Handle | undefined => {
  const { _handle: handle } = socket as { _handle?: Handle | null }
  return handle ?? undefined
}

/**
 * Has the socket read, without a turn of its stream, which costs as much as the read itself. Only for one that reads into a
 * buffer of ours: nothing goes by the stream then but the end.
 */
export const startReading = (socket: Socket): void => {
  const handle = handleOf(socket)
  if (handle?.reading === true && !socket.connecting) return
  if (handle?.readStart === undefined || socket.connecting) return void socket.resume()
  handle.reading = true
  if (handle.readStart() === 0) return
  // It has a name for what is wrong.
  handle.reading = false
  socket.resume()
}

/** Stops reading at once. A socket that is paused reads on until it has enough to be full. */
export const stopReading = (socket: Socket): void => {
  const handle = handleOf(socket)
  if (handle === undefined) return
  handle.reading = false
  handle.readStop?.()
}

/** Whether the peer's end has been read, also where nobody has been told yet. */
export const hasEnded = (socket: Socket): boolean => {
  const { _readableState: state } = socket as { _readableState?: { ended?: boolean } }
  return socket.readableEnded || state?.ended === true
}

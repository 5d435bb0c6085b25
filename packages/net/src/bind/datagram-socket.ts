import type { RemoteInfo, Socket } from 'node:dgram'
import { SocksError, canonicalHost } from '@it-socks/protocol'
import { lengthOf, onAbort, type DatagramBinderOptions, type DatagramSocket } from '@it-socks/stage'

type Settings = Required<Omit<DatagramBinderOptions, 'host' | 'cancellation'>> & {
  /** How many bytes may wait to be sent. */
  queue: number
}

/** A bound UDP socket of Node's as a `DatagramSocket`, which owns it from here on. */
export const datagramSocket = (socket: Socket, { queue, received, dropped, signal }: Settings): DatagramSocket => {
  const { address, port } = socket.address()
  const full = new SocksError(`more than ${queue} bytes wait to be sent`)
  let closed = false

  // One for all datagrams: they are many.
  const sent = (error: Error | null): void => {
    if (error !== null && !closed) dropped(error)
  }

  const close = (): void => {
    if (closed) return
    closed = true
    release()
    socket.close()
  }

  let release = (): void => {}
  socket
    .on('message', (data: Uint8Array, from: RemoteInfo) => {
      if (!closed) received(data, { host: canonical(from.address), port: from.port })
    })
    .on('error', sent)
  release = onAbort(signal, close)

  return {
    localAddress: { host: canonicalHost(address), port },
    send(data, to) {
      if (closed) return
      if (socket.getSendQueueSize() + lengthOf(data) > queue) return dropped(full)
      try {
        socket.send(data, to.port, to.host, sent)
      } catch (error) {
        // Port 0, for one, which Node itself refuses.
        dropped(error as Error)
      }
    },
    close
  }
}

/** libuv writes addresses as RFC 5952 does, but for an IPv4 address at the end of an IPv6 one. To rewrite all takes long. */
const canonical = (ip: string): string => (ip.includes(':') && ip.includes('.') ? canonicalHost(ip) : ip)

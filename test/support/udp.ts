import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** A UDP socket of the test's, on a port that the system chooses, until the test is over. */
export const udpSocket = async (host = '127.0.0.1'): Promise<Socket> => {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, host)
  await once(socket, 'listening')
  onTestFinished(() => {
    socket.close()
  })
  return socket
}

/** A UDP target that sends everything back. */
export interface UdpEcho {
  readonly port: number
  /** Its address as `host:port`. */
  readonly address: string
  /** Who sent something, in order. */
  readonly senders: readonly RemoteInfo[]
}

export const startUdpEcho = async (host = '127.0.0.1'): Promise<UdpEcho> => {
  const socket = await udpSocket(host)
  const senders: RemoteInfo[] = []
  socket.on('message', (data, sender) => {
    senders.push(sender)
    socket.send(data, sender.port, sender.address)
  })
  const { port } = socket.address()
  return { port, senders, address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` }
}

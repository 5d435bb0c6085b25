import type { RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { udpSocket } from '../../../test/support/udp.ts'

/** A UDP socket that the test itself plays. */
export interface UdpTarget {
  /** Its address as `host:port`. */
  readonly address: string
  readonly port: number
  /** The next datagram, come already or yet to come. */
  receive(): Promise<string>
}

export interface UdpTargetOptions {
  /** What to answer the first, the second … datagram with. Default: nothing. */
  answer?: (data: Buffer, count: number) => string | Uint8Array | undefined
}

/** Takes datagrams for the length of the test on a port that the system chooses. */
export const startUdpTarget = async ({ answer = () => undefined }: UdpTargetOptions = {}): Promise<UdpTarget> => {
  const received: Buffer[] = []
  let count = 0
  const socket = await udpSocket()
  socket.on('message', (data: Buffer, { address, port }: RemoteInfo) => {
    received.push(data)
    const reply = answer(data, ++count)
    if (reply !== undefined) socket.send(reply, port, address)
  })
  const { port } = socket.address()
  return {
    address: `127.0.0.1:${port}`,
    port,
    async receive() {
      while (received.length === 0) await once(socket, 'message')
      return received.shift()!.toString()
    }
  }
}

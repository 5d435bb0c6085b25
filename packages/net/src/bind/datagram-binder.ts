import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { addressType, type Address } from '@it-socks/protocol'
import { cancellationOf, never, type DatagramBinder } from '@it-socks/stage'
import { datagramSocket } from './datagram-socket.ts'
import { checkPorts, onFreePort, type PortRange } from './ports.ts'

export interface DatagramBinderSettings {
  /** The first and the last port that may be used. Default: the system chooses. */
  ports?: PortRange
  /** How many bytes may wait because the system's own buffer is full; what is more is dropped. Default: 262,144. */
  queue?: number
  /** How many bytes the system is asked to buffer in each direction. Default: 1,048,576. */
  buffer?: number
}

/**
 * Makes a `DatagramBinder` of Node's UDP sockets. An IPv6 socket has nothing to do with IPv4. What is sent must stay as it
 * is afterwards: where the system's buffer is full it waits in place.
 *
 * The promise rejects with a `RefusedError`: no port is free, or the host is not of this machine; or with the signal's
 * reason. Whatever goes wrong later is told to `dropped`, the system's refusals (`EMSGSIZE`, `ENETUNREACH` …) as they are.
 *
 * @throws {ConfigurationError} for what is no range of ports
 *
 * @example
 *
 * ```ts
 * import { datagramBinder } from '@it-socks/net'
 *
 * const bind = datagramBinder()
 * const echo = await bind({ host: '127.0.0.1', received: (data, from) => echo.send(data, from) })
 * const answer = await new Promise<Uint8Array>((resolve) => {
 *   const asking = bind({ host: '127.0.0.1', received: resolve })
 *   void asking.then((socket) => socket.send(Uint8Array.of(1, 2, 3), echo.localAddress))
 * })
 * answer.byteLength // => 3
 * ```
 */
export const datagramBinder = ({
  ports,
  queue = 256 * 1024,
  buffer = 1024 * 1024
}: DatagramBinderSettings = {}): DatagramBinder => {
  checkPorts(ports)
  return async ({ host, received, dropped = () => {}, signal = never }) => {
    signal.throwIfAborted()
    return onFreePort({ host, ports, cancellation: cancellationOf(signal) }, async (port) => {
      const socket = await bindSocket({ host, port }, buffer)
      if (!signal.aborted) return datagramSocket(socket, { queue, received, dropped, signal })
      socket.close()
      throw signal.reason
    })
  }
}

const bindSocket = ({ host, port }: Address, buffer: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const ipv6 = addressType(host) === 'ipv6'
    const socket = createSocket(ipv6 ? { type: 'udp6', ipv6Only: true, lookup } : { type: 'udp4', lookup })
    const failed = (error: unknown): void => {
      socket.close()
      reject(error)
    }
    socket.once('error', failed).bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', failed)
      try {
        socket.setRecvBufferSize(buffer)
        socket.setSendBufferSize(buffer)
        resolve(socket)
      } catch (error) {
        failed(error)
      }
    })
  })

/** Addresses are IP addresses here; what is none the system refuses. Node would take a turn for each, to look it up. */
const lookup: NonNullable<SocketOptions['lookup']> = (host, _, callback) => callback(null, host, 0)

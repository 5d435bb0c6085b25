import { createSocket } from 'node:dgram'
import { RefusedError, addressType, canonicalHost } from '@it-socks/protocol'
import { codeOf, replyOf } from '../os-error.ts'

/**
 * The local IP address from which this machine reaches another. A UDP socket that is connected knows it; no packet is sent.
 * Rejects with a `RefusedError` where there is no route.
 */
export const routedFrom = (ip: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(addressType(ip) === 'ipv6' ? 'udp6' : 'udp4')
    const settle = (cause?: Error): void => {
      if (cause === undefined) resolve(canonicalHost(socket.address().address))
      else reject(noRoute(ip, cause))
      socket.close()
    }
    // Port 9, "discard": any will do.
    socket.once('error', settle).connect(9, ip, settle)
  })

const noRoute = (ip: string, cause: Error): RefusedError =>
  new RefusedError(replyOf(cause), { cause, message: `there is no route to ${ip}: ${codeOf(cause)}` })

import { checkPorts, onFreePort, type DatagramBinderSettings } from '@it-socks/net'
import { addressType, type Address } from '@it-socks/protocol'
import { cancellationOf, type DatagramBinder } from '@it-socks/stage'
import {
  AF_INET,
  AF_INET6,
  EINVAL,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SO_RCVBUF,
  SO_SNDBUF,
  bind,
  checked,
  close,
  socket
} from '@it-socks/syscall'
import { addressError, scratch, writeAddress } from '../address.ts'
import { setOption } from '../options.ts'
import { datagramSocket } from './datagram-socket.ts'

/**
 * Makes a `DatagramBinder` of UDP sockets that receive and send many datagrams by one system call, as `datagramBinder` of
 * `@it-socks/net` does with Node's. What is sent is copied, and leaves when all that has been received has been looked at.
 */
export const datagramBinder = ({
  ports,
  queue = 256 * 1024,
  buffer = 1024 * 1024
}: DatagramBinderSettings = {}): DatagramBinder => {
  checkPorts(ports)
  return async ({ host, received, dropped = () => {}, ...by }) => {
    const cancellation = by.cancellation ?? cancellationOf(by.signal)
    if (cancellation.aborted) throw cancellation.reason
    // Whoever aborts right after has its way, as where this takes time.
    await Promise.resolve()
    return onFreePort({ host, ports, cancellation }, (port) => {
      const family = familyOf({ host, port })
      const fd = bound({ host, port }, family, buffer)
      try {
        return datagramSocket(fd, { family, queue, received, dropped, cancellation })
      } catch (error) {
        close(fd)
        throw error
      }
    })
  }
}

const familyOf = (at: Address): number => {
  const type = addressType(at.host)
  // No name is looked up: what is none of the system's addresses it refuses.
  if (type === 'domain') throw addressError(-EINVAL, 'bind', at)
  return type === 'ipv6' ? AF_INET6 : AF_INET
}

const bound = (at: Address, family: number, buffer: number): number => {
  const fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  if (fd < 0) throw addressError(fd, 'bind', at)
  try {
    // IPv4 is left to others.
    if (family === AF_INET6) checked(setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), 'setsockopt')
    const result = bind(fd, scratch.address, writeAddress(at))
    if (result < 0) throw addressError(result, 'bind', at)
    setBuffers(fd, buffer)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

const setBuffers = (fd: number, buffer: number): void => {
  // The system would take a negative number for one that is very large.
  if (!Number.isInteger(buffer) || buffer < 0) throw new RangeError(`${buffer} bytes are no size of a buffer`)
  for (const name of [SO_RCVBUF, SO_SNDBUF]) checked(setOption(fd, SOL_SOCKET, name, buffer), 'setsockopt')
}

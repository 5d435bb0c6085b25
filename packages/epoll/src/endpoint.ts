import { unlinkSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import type { Endpoint } from '@it-socks/net'
import { addressType, type Address } from '@it-socks/protocol'
import {
  AF_INET6,
  AF_UNIX,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
  TCP_NODELAY,
  bind,
  close,
  listen,
  socket
} from '@it-socks/syscall'
import { addressError, familyOf, localAddressOf, scratch, writeAddress } from './address.ts'
import { setOption } from './options.ts'

/** How many connections wait in the kernel to be accepted, as Node has it. */
const backlog = 511
const EAFNOSUPPORT = 97
const ENAMETOOLONG = 36
const kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC

/** The IP addresses to listen on, of which the first that this machine has will do. */
export const hostsOf = async (host: string): Promise<readonly [string, ...string[]]> => {
  // Nowhere in particular is everywhere: IPv6 takes IPv4 as well.
  if (host === '') return ['::', '0.0.0.0']
  if (addressType(host) !== 'domain') return [host]
  const { address } = await lookup(host)
  return [address]
}

/** A socket that listens, and where. */
export interface Bound {
  readonly fd: number
  readonly endpoint: Endpoint
  /** Removes what is left of it when it is closed. */
  readonly remove: () => void
}

/** Listens on TCP. @throws {SystemError} as Node's, and for a port that is none */
export const listenOn = (
  [host, ...others]: readonly [string, ...string[]],
  port: number,
  reusePort: boolean
): Bound => {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    const error = new RangeError(`options.port should be >= 0 and < 65536. Received ${port}.`)
    throw Object.assign(error, { code: 'ERR_SOCKET_BAD_PORT' })
  }
  const at: Address = { host, port }
  const family = familyOf(host)
  const fd = socket(family, kind, 0)
  const [next] = others
  if (fd === -EAFNOSUPPORT && next !== undefined) return listenOn([next], port, reusePort)
  if (fd < 0) throw addressError(fd, 'listen', at)
  setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
  if (reusePort) setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1)
  if (family === AF_INET6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)
  // On Linux those that are accepted have it from the one that listens.
  setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1)
  let result = bind(fd, scratch.address, writeAddress(at))
  if (result >= 0) result = listen(fd, backlog)
  if (result >= 0) return { fd, endpoint: localAddressOf(fd) ?? at, remove: () => {} }
  close(fd)
  if (next !== undefined) return listenOn([next], port, reusePort)
  throw addressError(result, 'listen', at)
}

/** Listens on a unix socket. @throws {SystemError} as Node's */
export const listenAt = (path: string): Bound => {
  const at: Address = { host: path, port: -1 }
  if (Buffer.byteLength(path) > 107) throw addressError(-ENAMETOOLONG, 'listen', at)
  const fd = socket(AF_UNIX, kind, 0)
  if (fd < 0) throw addressError(fd, 'listen', at)
  let result = bind(fd, scratch.address, writePath(path))
  const bound = result >= 0
  if (bound) result = listen(fd, backlog)
  if (result >= 0) return { fd, endpoint: { path }, remove: () => remove(path) }
  close(fd)
  if (bound) remove(path)
  throw addressError(result, 'listen', at)
}

/** A path that begins with a zero is a name in no directory, and ends where it ends. */
const isAbstract = (path: string): boolean => path.startsWith('\0')

const writePath = (path: string): number => scratch.writePath(path) - (isAbstract(path) ? 1 : 0)

const remove = (path: string): void => {
  if (isAbstract(path)) return
  try {
    unlinkSync(path)
  } catch {
    // Somebody has removed it before.
  }
}

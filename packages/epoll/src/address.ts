import { networkInterfaces } from 'node:os'
import { addressType, type Address } from '@it-socks/protocol'
import {
  AF_INET,
  AF_INET6,
  getsockname,
  socketAddress,
  systemError,
  type SocketAddress,
  type SystemError
} from '@it-socks/syscall'

/** Where this thread writes and reads one address at a time. */
export const scratch: SocketAddress = socketAddress()

/** An error with where it happened, as Node has it: `connect ECONNREFUSED 127.0.0.1:80`. */
export const addressError = (errno: number, syscall: string, { host, port }: Address): SystemError => {
  const error = systemError(errno, syscall)
  error.message += ` ${host}:${port}`
  return Object.assign(error, { address: host, port })
}

/** The family that an IP address is of as it is written: to IPv6, IPv4 that is mapped into it is IPv6. */
export const familyOf = (ip: string): number => (addressType(ip) === 'ipv6' ? AF_INET6 : AF_INET)

/** The number of the interface that a zone (`fe80::1%eth0`) names; 0, which is none, where there is no such. */
const scopeOf = (ip: string): number => {
  const at = ip.indexOf('%')
  if (at === -1) return 0
  const zone = ip.slice(at + 1)
  if (/^\d+$/.test(zone)) return Number(zone)
  const ipv6 = networkInterfaces()[zone]?.find(({ family }) => family === 'IPv6')
  // Only a link-local address has its scope told: an interface has one number for all.
  return networkInterfaces()[zone]?.find(({ scopeid }) => (scopeid ?? 0) > 0)?.scopeid ?? ipv6?.scopeid ?? 0
}

/** Writes an IP address to where the kernel reads it; returns its length. */
export const writeAddress = (to: Address, where: SocketAddress = scratch): number => where.write(to, scopeOf(to.host))

/** The kernel counts interfaces; people name them. */
const withZoneNamed = (address: Address): Address => {
  const at = address.host.indexOf('%')
  if (at === -1) return address
  const scope = Number(address.host.slice(at + 1))
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some(({ scopeid }) => scopeid === scope) === true)
      return { host: `${address.host.slice(0, at)}%${name}`, port: address.port }
  }
  return address
}

/** The address that the kernel has written. */
export const readAddress = (where: SocketAddress = scratch): Address | undefined => {
  const address = where.read()
  return address === undefined ? undefined : withZoneNamed(address)
}

/** Our end of a socket; `undefined` of a unix socket. */
export const localAddressOf = (fd: number): Address | undefined => {
  scratch.clear()
  return getsockname(fd, scratch.address, scratch.lengthAddress) < 0 ? undefined : readAddress()
}

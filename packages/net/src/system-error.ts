import { getSystemErrorName } from 'node:util'
import { formatAddress, type Address } from '@it-socks/protocol'

/** An error of the system's, as Node makes them of the negative number that libuv gives. */
export const systemError = (errno: number, syscall: string, address?: Address): NodeJS.ErrnoException => {
  const code = getSystemErrorName(errno)
  const where = address === undefined ? '' : ` ${formatAddress(address)}`
  const details = address === undefined ? {} : { address: address.host, port: address.port }
  return Object.assign(new Error(`${syscall} ${code}${where}`), { code, errno, syscall, ...details })
}

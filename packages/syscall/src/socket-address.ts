import {
  addressType,
  canonicalHost,
  ipFromBytes,
  ipToBytes,
  ipv4FromNumber,
  writeDotted,
  type Address
} from '@it-socks/protocol'
import { AF_INET, AF_INET6, AF_UNIX } from './constants.ts'
import { allocate, type Memory } from './memory.ts'

/**
 * Memory for one address in the form that the kernel has it, and for its length.
 *
 *     IPv4   family 2 bytes (of the machine) | port 2 (high first) | address 4  | 8 zeros
 *     IPv6   family 2                        | port 2              | flow 4     | address 16 | scope 4 (of the machine)
 *     unix   family 2                        | path up to 108, ended by a zero
 */
export interface SocketAddress {
  readonly memory: Memory
  /** Where the address is: for calls that read it. */
  readonly address: number
  /** Where its length is: for calls that write it. */
  readonly lengthAddress: number
  /** Writes an IP address and port; returns the length. `scope` is the index of the interface that a link-local one is on. */
  write(to: Address, scope?: number): number
  /** Writes the path of a unix socket; returns the length. @throws {RangeError} for one that is too long */
  writePath(path: string): number
  /** Makes room for the kernel to write an address. */
  clear(): void
  /** The address that the kernel has written; `undefined` of a unix socket. */
  read(): Address | undefined
}

const room = 128
const longestPath = 107
const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

/** An endianness of its own for a family, as all that we run on are little-endian. */
const little = true

export const socketAddress = (): SocketAddress => {
  const memory = allocate(room + 4)
  const { bytes, view } = memory
  // One client, one proxy: the address that was read last is often the next one, too.
  let known: Address = { host: '', port: 0 }
  let knownIp = 0

  const ipv4 = (offset: number, port: number): Address => {
    const ip = view.getUint32(offset)
    if (ip !== knownIp || known.host === '') {
      knownIp = ip
      known = { host: ipv4FromNumber(ip), port }
    }
    return known.port === port ? known : { host: known.host, port }
  }

  const ipv6 = (port: number): Address => {
    if (mapped.every((byte, index) => bytes[8 + index] === byte)) return ipv4(20, port)
    const host = ipFromBytes(bytes.subarray(8, 24))
    const scope = view.getUint32(24, little)
    return { host: scope === 0 ? host : `${host}%${scope}`, port }
  }

  return {
    memory,
    address: memory.address,
    lengthAddress: memory.address + room,
    write({ host, port }, scope = 0) {
      bytes.fill(0, 0, 28)
      view.setUint16(2, port)
      if (addressType(host) === 'ipv4') {
        view.setUint16(0, AF_INET, little)
        writeDotted(host, bytes, 4)
        return 16
      }
      view.setUint16(0, AF_INET6, little)
      bytes.set(ipToBytes(host), 8)
      view.setUint32(24, scope, little)
      return 28
    },
    writePath(path) {
      const name = Buffer.from(path)
      if (name.length > longestPath) {
        throw new RangeError(`the path of a unix socket has ${longestPath} bytes at most, not ${name.length}`)
      }
      view.setUint16(0, AF_UNIX, little)
      bytes.fill(0, 2, 2 + longestPath + 1)
      bytes.set(name, 2)
      return 2 + name.length + 1
    },
    clear() {
      view.setUint16(0, 0, little)
      view.setUint32(room, room, little)
    },
    read() {
      const family = view.getUint16(0, little)
      const port = view.getUint16(2)
      if (family === AF_INET) return ipv4(4, port)
      return family === AF_INET6 ? ipv6(port) : undefined
    }
  }
}

/** The family that a socket for an IP address is of. */
export const familyOf = (ip: string): number => (addressType(canonicalHost(ip)) === 'ipv6' ? AF_INET6 : AF_INET)

import {
  addressType,
  ipFromBytes,
  ipv4FromNumber,
  ipToBytes,
  portFromBytes,
  portToBytes,
  writeDotted,
  type Address
} from '../address.ts'
import { AddressTypeError, EmptyNameError } from '../errors.ts'
import type { Field, Part, Parts } from './field.ts'
import { hostFromUtf8, hostToUtf8 } from './host-name.ts'
import { byteCount, quoted } from './text.ts'

const atyp = { ipv4: 0x01, domain: 0x03, ipv6: 0x04 } as const
const atypNames = new Map<number, string>(Object.entries(atyp).map(([name, code]) => [code, name]))

const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

/** Of an IPv4 address that is mapped into IPv6, the 4 bytes that it has. */
const unmapped = (ip: Uint8Array): Uint8Array =>
  mapped.every((byte, index) => ip[index] === byte) ? ip.subarray(mapped.length) : ip

/** Nearly every reply has one. */
const ipv4Bytes = (host: string, port: readonly [number, number]): readonly number[] =>
  writeDotted(host, [atyp.ipv4, 0, 0, 0, 0, port[0], port[1]], 1)

/**
 * ATYP, address and port (RFC 1928 sections 4 to 7), whose field names start with `prefix`: `DST` or `BND`.
 *
 *     ATYP        ADDR                                  PORT
 *     0x01 IPv4   4 bytes                               2 bytes, high byte first
 *     0x03 name   1 byte that counts, then 1 to 255     2
 *     0x04 IPv6   16 bytes                              2
 *
 * A name that spells an IP address is read as that address.
 */
export const address = (prefix: 'DST' | 'BND'): Field<Address> => {
  const type: Part = { name: 'ATYP', length: 1, meaning: ([code]) => atypNames.get(code!) ?? 'unknown' }
  const name = `${prefix}.ADDR`
  const ipv4: Part = { name, length: 4, meaning: ipFromBytes }
  const ipv6: Part = { name, length: 16, meaning: ipFromBytes }
  const counter: Part = { name: `${name} length`, length: 1, meaning: byteCount }
  const portPart: Part = { name: `${prefix}.PORT`, length: 2, meaning: (bytes) => String(portFromBytes(bytes)) }

  const domain = (parts: Parts): string => {
    const length = parts.number(counter)
    if (length === 0) throw new EmptyNameError(name)
    return hostFromUtf8(name, parts.take({ name, length, meaning: quoted }))
  }

  const host = (parts: Parts): string => {
    const code = parts.number(type)
    if (code === atyp.ipv4) return ipv4FromNumber(parts.number(ipv4))
    if (code === atyp.ipv6) return ipFromBytes(unmapped(parts.take(ipv6)))
    if (code === atyp.domain) return domain(parts)
    throw new AddressTypeError(code)
  }

  return {
    decode: (parts) => ({ host: host(parts), port: parts.number(portPart) }),
    encode({ host, port }) {
      const type = addressType(host)
      if (type === 'ipv4') return ipv4Bytes(host, portToBytes(port))
      if (type !== 'domain') return [atyp[type], ...ipToBytes(host), ...portToBytes(port)]
      const bytes = hostToUtf8(name, host)
      return [atyp.domain, bytes.length, ...bytes, ...portToBytes(port)]
    }
  }
}

import { addressType, canonicalHost, ipFromBytes, ipToBytes, portToBytes, type Address } from '../address.ts'
import { AddressTypeError, EmptyNameError, TextError } from '../errors.ts'
import type { Decoding, Field, Part } from './field.ts'
import { byteCount, fromUtf8, quoted, toUtf8 } from './text.ts'

const atyp = { ipv4: 0x01, domain: 0x03, ipv6: 0x04 } as const
const atypNames = new Map<number, string>(Object.entries(atyp).map(([name, code]) => [code, name]))
const port = ([high, low]: Uint8Array): number => (high! << 8) | low!

const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

/** Of an IPv4 address that is mapped into IPv6, the 4 bytes that it has. */
const unmapped = (ip: Uint8Array): Uint8Array =>
  mapped.every((byte, index) => ip[index] === byte) ? ip.subarray(mapped.length) : ip

// Spaces and control characters end a host name for some resolvers, and act on a terminal that a log is read on: a name
// that has them is not the name it seems.
const unsafe = /[ \p{Cc}]/u

/**
 * ATYP, address and port (RFC 1928 sections 4 to 7), whose field names start with `prefix`: `DST` or `BND`.
 *
 *     ATYP        ADDR                                  PORT
 *     0x01 IPv4   4 bytes                               2 bytes, high byte first
 *     0x03 name   1 byte that counts, then 1 to 255     2
 *     0x04 IPv6   16 bytes                              2
 *
 * A name that spells an IP address is read as that address: Chromium, Java and others send every host as a name.
 */
export const address = (prefix: 'DST' | 'BND'): Field<Address> => {
  const type: Part = { name: 'ATYP', length: 1, meaning: ([code]) => atypNames.get(code!) ?? 'unknown' }
  const name = `${prefix}.ADDR`
  const ipv4: Part = { name, length: 4, meaning: ipFromBytes }
  const ipv6: Part = { name, length: 16, meaning: ipFromBytes }
  const counter: Part = { name: `${name} length`, length: 1, meaning: byteCount }
  const portPart: Part = { name: `${prefix}.PORT`, length: 2, meaning: (bytes) => String(port(bytes)) }

  const domain = function* (): Decoding<string> {
    const length = (yield counter)[0]!
    if (length === 0) throw new EmptyNameError(name)
    const host = fromUtf8(name, yield { name, length, meaning: quoted })
    if (unsafe.test(host)) throw new TextError(name)
    return canonicalHost(host)
  }

  const host = function* (): Decoding<string> {
    const code = (yield type)[0]!
    if (code === atyp.ipv4) return ipFromBytes(yield ipv4)
    if (code === atyp.ipv6) return ipFromBytes(unmapped(yield ipv6))
    if (code === atyp.domain) return yield* domain()
    throw new AddressTypeError(code)
  }

  return {
    *decode() {
      return { host: yield* host(), port: port(yield portPart) }
    },
    encode({ host, port }) {
      const type = addressType(host)
      if (type !== 'domain') return [atyp[type], ...ipToBytes(host), ...portToBytes(port)]
      const bytes = toUtf8(name, host)
      if (bytes.length === 0) throw new EmptyNameError(name)
      if (unsafe.test(host)) throw new TextError(name)
      return [atyp.domain, bytes.length, ...bytes, ...portToBytes(port)]
    }
  }
}

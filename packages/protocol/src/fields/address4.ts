import {
  addressType,
  canonicalHost,
  ipFromBytes,
  ipToBytes,
  ipv4FromNumber,
  portFromBytes,
  portToBytes,
  type Address
} from '../address.ts'
import { InvalidAddressError } from '../errors.ts'
import type { Field, Part, Parts } from './field.ts'
import { hostFromUtf8, hostToUtf8 } from './host-name.ts'
import { fromUtf8, toUtf8, untilNul, withNul } from './text.ts'

/** The DSTIP of SOCKS4a: the first three bytes are zero, the last is not, and the domain comes behind USERID. */
const behind = /^0\.0\.0\.[1-9]/

const port: Part = { name: 'DSTPORT', length: 2, meaning: (bytes) => String(portFromBytes(bytes)) }

const portAndIp = (meaning: Part['meaning']) => {
  const ip: Part = { name: 'DSTIP', length: 4, meaning }
  return {
    decode(parts: Parts): Address {
      const number = parts.number(port)
      return { host: ipv4FromNumber(parts.number(ip)), port: number }
    },
    encode({ host, port }: Address): readonly number[] {
      const ip = canonicalHost(host)
      if (addressType(ip) !== 'ipv4') throw new InvalidAddressError(`${host} is not an IPv4 address, as DSTIP must be`)
      return [...portToBytes(port), ...ipToBytes(ip)]
    }
  }
}

/** DSTPORT, 2 bytes with the high one first, and DSTIP, an IPv4 address (the SOCKS4 memo). */
export const address4: Field<Address> = portAndIp(ipFromBytes)

/** What a SOCKS4 request names: a destination, and the user who asks. */
export interface Asked4 {
  /** DSTPORT and DSTIP, or for SOCKS4a DSTPORT and the domain. */
  readonly destination: Address
  /** USERID, 0 to 255 bytes of UTF-8 without a NUL. Nothing proves it. */
  readonly userId: string
}

const destination = portAndIp((bytes) => {
  const ip = ipFromBytes(bytes)
  return behind.test(ip) ? `${ip}: a domain comes behind USERID` : ip
})

/** The name that a host has in SOCKS4a; `undefined` for those that DSTIP can hold. */
const nameOf = (host: string): string | undefined => {
  const canonical = canonicalHost(host)
  const type = addressType(canonical)
  if (type === 'domain') return host
  return type === 'ipv4' && !behind.test(canonical) ? undefined : ipFromBytes(ipToBytes(canonical))
}

/**
 * DSTPORT, DSTIP, USERID and the domain of SOCKS4a, whose place is told by DSTIP. A domain that spells an IP address is
 * read as that address; what DSTIP cannot hold, an IPv6 address or 0.0.0.x itself, is written as a domain.
 */
export const asked4: Field<Asked4> = {
  decode(parts) {
    const { host: ip, port } = destination.decode(parts)
    const userId = fromUtf8('USERID', untilNul('USERID', parts))
    const host = behind.test(ip) ? hostFromUtf8('DOMAIN', untilNul('DOMAIN', parts)) : ip
    return { destination: { host, port }, userId }
  },
  encode({ destination: { host, port }, userId }) {
    const user = withNul('USERID', toUtf8('USERID', userId))
    const name = nameOf(host)
    if (name === undefined) return [...destination.encode({ host, port }), ...user]
    const domain = withNul('DOMAIN', hostToUtf8('DOMAIN', name))
    return [...destination.encode({ host: '0.0.0.1', port }), ...user, ...domain]
  }
}

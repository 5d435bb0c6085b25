import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressType, canonicalHost, formatAddress, ipFromBytes, ipToBytes, parseAddress } from '@it-socks/protocol'
import { address } from './arbitrary.ts'

const octet = fc.nat({ max: 255 })
const ipv6Bytes = fc
  .array(fc.oneof(fc.constant([0, 0]), fc.tuple(octet, octet)), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flat()))

const isIp = (host: string): boolean => addressType(host) !== 'domain'

describe('an address', () => {
  it('comes back from its bytes', () => {
    const bytes = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), ipv6Bytes)
    fc.assert(
      fc.property(bytes, (bytes) => {
        expect(ipToBytes(ipFromBytes(bytes))).toEqual(bytes)
      })
    )
  })

  it('is written as every URL writes it (RFC 5952)', () => {
    fc.assert(
      fc.property(ipv6Bytes, (bytes) => {
        const host = ipFromBytes(bytes)
        expect(`[${host}]`).toBe(new URL(`http://[${host}]`).hostname)
      })
    )
  })

  it('has one canonical form', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdefx:.%[]')) }),
      fc.ipV6(),
      fc.string()
    )
    fc.assert(
      fc.property(text, (host) => {
        const canonical = canonicalHost(host)
        expect(canonicalHost(canonical)).toBe(canonical)
        expect(isIp(canonical) || !isIp(host)).toBe(true)
      })
    )
  })

  it('comes back from its text', () => {
    const plain = address.filter(({ host }) => addressType(host) !== 'domain' || !/[:[\]\s]/.test(host))
    fc.assert(
      fc.property(plain, ({ host, port }) => {
        expect(parseAddress(formatAddress({ host, port }))).toEqual({ host: canonicalHost(host), port })
      })
    )
  })
})

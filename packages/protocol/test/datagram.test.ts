import { describe, expect, it } from 'vitest'
import { datagramHeader, decode, decodeDatagram, encodeDatagram } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'
import { failure } from './failure.ts'

describe('datagram', () => {
  it.each([
    [
      'IPv4',
      hex`0000 00 01 c0000201 0035 ${'data'}`,
      { fragment: 0, destination: { host: '192.0.2.1', port: 53 }, data: hex`${'data'}` }
    ],
    [
      'IPv6',
      hex`0000 00 04 20010db8 00000000 00000000 00000001 0035 ff`,
      { fragment: 0, destination: { host: '2001:db8::1', port: 53 }, data: hex`ff` }
    ],
    [
      'a domain',
      hex`0000 00 03 03 ${'dns'} 0035 00`,
      { fragment: 0, destination: { host: 'dns', port: 53 }, data: hex`00` }
    ],
    [
      'IPv4, without data',
      hex`0000 00 01 c0000201 0035`,
      { fragment: 0, destination: { host: '192.0.2.1', port: 53 }, data: hex`` }
    ],
    [
      'IPv4, the last of two fragments',
      hex`0000 82 01 c0000201 0035 ${'z'}`,
      { fragment: 0x82, destination: { host: '192.0.2.1', port: 53 }, data: hex`${'z'}` }
    ]
  ])('to %s is read and written', (_, bytes, datagram) => {
    expect(decodeDatagram(bytes)).toEqual(datagram)
    expect(encodeDatagram(datagram)).toEqual(bytes)
  })

  it('is read without copying its data', () => {
    const bytes = hex`0000 00 01 c0000201 0035 ${'data'}`
    expect(decodeDatagram(bytes).data.buffer).toBe(bytes.buffer)
  })

  it.each([hex`01 00`, hex`00 01`])('refuses a reserved byte that is not zero: %o', (rsv) => {
    const bytes = hex`${rsv} 00 01 c0000201 0035`
    expect(() => decodeDatagram(bytes)).toThrow(failure('ReservedError', 'ERR_SOCKS_RESERVED'))
  })

  it('refuses a header that is cut short', () => {
    const bytes = hex`0000 00 01 c0000201 00`
    expect(() => decodeDatagram(bytes)).toThrow(failure('TruncatedError', 'ERR_SOCKS_TRUNCATED'))
    expect(() => decodeDatagram(bytes)).toThrow('the datagram header ended after 9 bytes, in DST.PORT')
  })

  it('is not written with a fragment that would wrap into one that stands alone', () => {
    const header = { fragment: 256, destination: { host: '192.0.2.1', port: 53 } }
    expect(() => datagramHeader.encode(header)).toThrow(failure('OctetError', 'ERR_SOCKS_OCTET'))
  })

  it('has a header that says how long it is', () => {
    expect(decode(datagramHeader, hex`0000 00 03 01 ${'a'} 0035 ${'data'}`).length).toBe(8)
  })
})

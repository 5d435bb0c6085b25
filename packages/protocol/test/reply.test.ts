import { describe, expect, it } from 'vitest'
import { decode, reply, unspecified } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'
import { failure } from './failure.ts'

describe('reply', () => {
  it.each([
    ['success, bound to IPv4', hex`05 00 00 01 c0000201 1f90`, { rep: 0, bound: { host: '192.0.2.1', port: 8080 } }],
    [
      'success, bound to IPv6',
      hex`05 00 00 04 20010db8 00000000 00000000 00000001 ffff`,
      { rep: 0, bound: { host: '2001:db8::1', port: 65535 } }
    ],
    ['success, bound to a domain', hex`05 00 00 03 04 ${'home'} 0001`, { rep: 0, bound: { host: 'home', port: 1 } }],
    ['a refusal', hex`05 05 00 01 00000000 0000`, { rep: 5, bound: unspecified }],
    ['an unassigned REP', hex`05 ff 00 01 00000000 0000`, { rep: 255, bound: unspecified }]
  ])('%s is read and written', (_, bytes, value) => {
    expect(decode(reply, bytes)).toEqual({ value, length: bytes.length })
    expect(reply.encode(value)).toEqual(bytes)
  })

  it('refuses another version', () => {
    expect(() => decode(reply, hex`00 5a`)).toThrow(failure('VersionError', 'ERR_SOCKS_VERSION'))
  })

  it('refuses a reserved byte that is not zero', () => {
    expect(() => decode(reply, hex`05 00 ff 01 c0000201 0050`)).toThrow(failure('ReservedError', 'ERR_SOCKS_RESERVED'))
  })

  it('is not written with a refusal that would wrap into success', () => {
    expect(() => reply.encode({ rep: 256, bound: unspecified })).toThrow(failure('OctetError', 'ERR_SOCKS_OCTET'))
  })
})

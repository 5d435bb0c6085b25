import { describe, expect, it } from 'vitest'
import { decode, request } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'
import { failure } from './failure.ts'

describe('request', () => {
  it.each([
    [
      'CONNECT to IPv4',
      hex`05 01 00 01 c0000201 0050`,
      { command: 'connect', destination: { host: '192.0.2.1', port: 80 } } as const
    ],
    [
      'CONNECT to IPv6',
      hex`05 01 00 04 20010db8 00000000 00000000 00000001 01bb`,
      { command: 'connect', destination: { host: '2001:db8::1', port: 443 } } as const
    ],
    [
      'CONNECT to a domain',
      hex`05 01 00 03 0b ${'example.com'} 0050`,
      { command: 'connect', destination: { host: 'example.com', port: 80 } } as const
    ],
    [
      'BIND',
      hex`05 02 00 01 c0000201 0015`,
      { command: 'bind', destination: { host: '192.0.2.1', port: 21 } } as const
    ],
    [
      'UDP ASSOCIATE',
      hex`05 03 00 04 00000000 00000000 00000000 00000000 0000`,
      { command: 'udpAssociate', destination: { host: '::', port: 0 } } as const
    ]
  ])('%s is read and written', (_, bytes, value) => {
    expect(decode(request, bytes)).toEqual({ value, length: bytes.length })
    expect(request.encode(value)).toEqual(bytes)
  })

  it('refuses another version', () => {
    const bytes = hex`04 01 00 01 c0000201 0050`
    expect(() => decode(request, bytes)).toThrow(failure('VersionError', 'ERR_SOCKS_VERSION'))
  })

  it.each([0x00, 0x04, 0xef, 0xf2, 0xff])('refuses CMD %i as a command not supported', (code) => {
    const bytes = hex`05 ${Uint8Array.of(code)} 00 01 c0000201 0050`
    expect(() => decode(request, bytes)).toThrow(failure('CommandError', 'ERR_SOCKS_COMMAND', 'command-not-supported'))
  })

  it('refuses a reserved byte that is not zero', () => {
    const bytes = hex`05 01 01 01 c0000201 0050`
    expect(() => decode(request, bytes)).toThrow(failure('ReservedError', 'ERR_SOCKS_RESERVED'))
  })
})

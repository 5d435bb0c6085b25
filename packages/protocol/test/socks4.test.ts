import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  RefusedError,
  decode,
  refusal4,
  reply4,
  reply4Codes,
  request4,
  unspecified,
  type Request4
} from '@it-socks/protocol'
import { hex } from '@it-socks/testing'
import { failure } from './failure.ts'

const text = failure('TextError', 'ERR_SOCKS_TEXT')
const tooLong = failure('TooLongError', 'ERR_SOCKS_TOO_LONG')
const unterminated = failure('UnterminatedError', 'ERR_SOCKS_UNTERMINATED')
const empty = failure('EmptyNameError', 'ERR_SOCKS_EMPTY_NAME')
const invalid = failure('InvalidAddressError', 'ERR_SOCKS_INVALID_ADDRESS')

const asking = (host: string, userId = '', port = 80): Request4 => ({
  command: 'connect',
  destination: { host, port },
  userId
})
const read = (bytes: Uint8Array): Request4 => decode(request4, bytes).value
/** A request that leaves this name to the server. */
const named = (name: string | Uint8Array) => hex`04 01 0050 00000001 00 ${name} 00`

describe('a SOCKS4 request', () => {
  it.each([
    ['CONNECT', hex`04 01 0050 c0000201 ${'alice'} 00`, asking('192.0.2.1', 'alice')],
    ['BIND', hex`04 02 0050 c0000201 ${'alice'} 00`, { ...asking('192.0.2.1', 'alice'), command: 'bind' as const }],
    ['CONNECT without a user id', hex`04 01 ffff c0000201 00`, asking('192.0.2.1', '', 65_535)],
    ['no address', hex`04 01 0000 00000000 00`, asking('0.0.0.0', '', 0)],
    ['0.0.1.0, which stands for no domain', hex`04 01 0050 00000100 00`, asking('0.0.1.0')],
    ['a user id in UTF-8', hex`04 01 0050 c0000201 ${'Zoë 🔑'} 00`, asking('192.0.2.1', 'Zoë 🔑')]
  ])('is read and written: %s', (_, bytes, value) => {
    expect(decode(request4, bytes)).toEqual({ value, length: bytes.length })
    expect(request4.encode(value)).toEqual(bytes)
  })

  it('has no end but its NUL: what follows is not its own', () => {
    expect(decode(request4, hex`04 01 0050 c0000201 ${'a'} 00 00 00`).length).toBe(10)
    expect(decode(request4, hex`04 01 0050 00000001 ${'a'} 00 ${'b.c'} 00 00`).length).toBe(14)
  })

  it('refuses another version', () => {
    const wrong = failure('VersionError', 'ERR_SOCKS_VERSION')
    expect(() => read(hex`05 01 00`)).toThrow(wrong)
    expect(() => read(hex`05 01 00`)).toThrow('VN must be 0x04, received 0x05')
  })

  it.each([0x00, 0x03, 0xf0])('refuses CD %i', (cd) => {
    const bytes = hex`04 ${Uint8Array.of(cd)} 0050 c0000201 00`
    expect(() => read(bytes)).toThrow(failure('CommandError', 'ERR_SOCKS_COMMAND', 'command-not-supported'))
    expect(() => read(bytes)).toThrow('unknown CD')
  })

  it('tells what had been read where it went wrong', () => {
    const within = { message: 'SOCKS4 request', fields: { command: 'bind' } }
    expect(() => read(hex`04 02 0050 c0`)).toThrow(expect.objectContaining({ within, received: 5 }))
  })
})

describe('the domain of a SOCKS4a request', () => {
  it.each(['00000001', '000000ff'])('comes behind the user id where DSTIP is %s', (ip) => {
    const dstIp = Uint8Array.from(Buffer.from(ip, 'hex'))
    const bytes = hex`04 01 01bb ${dstIp} ${'alice'} 00 ${'example.com'} 00`
    expect(read(bytes)).toEqual(asking('example.com', 'alice', 443))
  })

  it('is written with DSTIP 0.0.0.1', () => {
    expect(request4.encode(asking('example.com', 'alice', 443))).toEqual(
      hex`04 01 01bb 00000001 ${'alice'} 00 ${'example.com'} 00`
    )
  })

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.5', '0.0.0.5'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1']
  ])('is an IP address where it spells one: %s', (name, host) => {
    expect(read(named(name)).destination).toEqual({ host, port: 80 })
  })

  it.each(['127.1', '0', 'EXAMPLE.com.', 'bücher.example'])('stays the domain %s', (name) => {
    expect(read(named(name)).destination.host).toBe(name)
    expect(request4.encode(asking(name))).toEqual(named(name))
  })

  it.each([
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['0.0.0.5', '0.0.0.5']
  ])('is how %s is written, which DSTIP cannot hold', (host, name) => {
    expect(request4.encode(asking(host))).toEqual(named(name))
  })

  it('is not how an IPv4 address is written that came mapped into IPv6', () => {
    expect(request4.encode(asking('::ffff:192.0.2.1'))).toEqual(hex`04 01 0050 c0000201 00`)
  })

  it('may not be empty, read or written', () => {
    expect(() => read(named(''))).toThrow(empty)
    expect(() => request4.encode(asking(''))).toThrow(empty)
  })

  it.each(['a b', 'a\t', 'a\r\nHost: b', '\u001B[2J', 'a\u007F', 'a\u009B2J'])(
    'is not %j: for some resolvers and terminals it is not what it seems',
    (name) => {
      expect(() => read(named(name))).toThrow(text)
      expect(() => request4.encode(asking(name))).toThrow(text)
    }
  )

  it.each([hex`c328`, hex`ff`, hex`eda080`, hex`c080`])('is UTF-8: %o is none', (name) => {
    expect(() => read(named(name))).toThrow(text)
  })
})

describe('text that a NUL ends', () => {
  it.each(['u'.repeat(255), `${'é'.repeat(127)}u`])('has up to 255 bytes', (long) => {
    const value = asking(long, long)
    expect(request4.encode(value)).toHaveLength(1 + 1 + 2 + 4 + 256 + 256)
    expect(read(request4.encode(value))).toEqual(value)
  })

  it.each(['u'.repeat(256), 'é'.repeat(128)])('is not written with 256 bytes', (long) => {
    expect(() => request4.encode(asking('192.0.2.1', long))).toThrow(tooLong)
    expect(() => request4.encode(asking(long))).toThrow(tooLong)
  })

  it('is not read with 256 bytes, NUL or not', () => {
    const long = 'u'.repeat(256)
    expect(() => read(hex`04 01 0050 c0000201 ${long}`)).toThrow(unterminated)
    expect(() => read(hex`04 01 0050 c0000201 ${long} 00`)).toThrow('USERID has more than 255 bytes before its NUL')
    expect(() => read(named(long))).toThrow('DOMAIN has more than 255 bytes before its NUL')
  })

  it.each(['\u0000', 'alice\u0000', 'al\u0000ice'])('is not written with a NUL in it: %j', (broken) => {
    expect(() => request4.encode(asking('192.0.2.1', broken))).toThrow(text)
    expect(() => request4.encode(asking(broken))).toThrow(text)
  })

  it('is UTF-8', () => {
    expect(() => read(hex`04 01 0050 c0000201 c328 00`)).toThrow(text)
    expect(() => request4.encode(asking('192.0.2.1', 'a\uD800'))).toThrow(text)
  })

  it('is empty without a word, for a user id', () => {
    expect(read(hex`04 01 0050 c0000201 00`).userId).toBe('')
  })
})

describe('a port of SOCKS4', () => {
  it.each([-1, 65_536, 0.5, Number.NaN])('is not %d', (port) => {
    expect(() => request4.encode(asking('192.0.2.1', '', port))).toThrow(invalid)
    expect(() => request4.encode(asking('example.com', '', port))).toThrow(invalid)
  })
})

describe('a SOCKS4 reply', () => {
  const bound = { host: '192.0.2.1', port: 8080 }

  it.each([
    ['granted', hex`00 5a 1f90 c0000201`, { cd: reply4Codes.granted, bound }],
    ['rejected', hex`00 5b 0000 00000000`, { cd: reply4Codes.rejected, bound: unspecified }],
    ['identd cannot be reached', hex`00 5c 0000 00000000`, { cd: reply4Codes.identdUnreachable, bound: unspecified }],
    ['the user id is refused', hex`00 5d 0000 00000000`, { cd: reply4Codes.userIdRefused, bound: unspecified }],
    ['an unassigned CD', hex`00 ff 0000 00000000`, { cd: 255, bound: unspecified }],
    ['0.0.0.1, which is an address here', hex`00 5a 0001 00000001`, { cd: 0x5a, bound: { host: '0.0.0.1', port: 1 } }]
  ])('is read and written: %s', (_, bytes, value) => {
    expect(decode(reply4, bytes)).toEqual({ value, length: 8 })
    expect(reply4.encode(value)).toEqual(bytes)
  })

  it('is read where its version is 4, which some servers send, and no other', () => {
    expect(decode(reply4, hex`04 5a 1f90 c0000201`).value).toEqual({ cd: 0x5a, bound })
    expect(() => decode(reply4, hex`05 ff`)).toThrow('VN must be 0x00 or 0x04, received 0x05')
  })

  it.each(['2001:db8::1', 'example.com'])('is not written with %s', (host) => {
    expect(() => reply4.encode({ cd: 0x5a, bound: { host, port: 1 } })).toThrow(invalid)
  })

  it('is not written with a refusal that would wrap', () => {
    expect(() => reply4.encode({ cd: 0x15a, bound })).toThrow(failure('OctetError', 'ERR_SOCKS_OCTET'))
  })
})

describe('refusal4', () => {
  it('tells of a refused user', () => {
    expect(refusal4(new AuthenticationError())).toEqual(hex`00 5d 0000 00000000`)
  })

  it.each([new RefusedError('connection-refused'), new Error('disk full'), 'a string', undefined])(
    'has one reply for all else: %o',
    (error) => expect(refusal4(error)).toEqual(hex`00 5b 0000 00000000`)
  )
})

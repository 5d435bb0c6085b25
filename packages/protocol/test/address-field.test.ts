import { describe, expect, it } from 'vitest'
import { address, decode, message, type Address } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'
import { failure } from './failure.ts'

/** ATYP, DST.ADDR and DST.PORT alone: the part that request, reply and datagram header share. */
const destination = message<{ at: Address }>('address', [['at', address('DST')]])

const read = (bytes: Uint8Array): Address => decode(destination, bytes).value.at
const write = (host: string, port = 80): Uint8Array => destination.encode({ at: { host, port } })
/** A host that comes as a domain, whatever it spells. */
const named = (name: string): Uint8Array => {
  const bytes = new TextEncoder().encode(name)
  return hex`03 ${Uint8Array.of(bytes.length)} ${bytes} 0050`
}

describe('an address on the wire', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1%eth0']
  ])('is an IP address where %s comes as a domain, as Chromium and Java send it', (name, host) => {
    expect(read(named(name))).toEqual({ host, port: 80 })
  })

  it.each(['127.1', '0x7f000001', '0', 'EXAMPLE.com.', 'bücher.example', '[example.com]', '1.2.3.4:80'])(
    'stays the domain %s',
    (name) => expect(read(named(name))).toEqual({ host: name, port: 80 })
  )

  it('reads an IPv4 address that is mapped into an IPv6 one as what it is: one place has one name', () => {
    expect(read(hex`04 00000000 00000000 0000ffff c0000201 0050`)).toEqual({ host: '192.0.2.1', port: 80 })
    expect(write('::ffff:192.0.2.1')).toEqual(hex`04 00000000 00000000 0000ffff c0000201 0050`)
  })

  it.each(['fe80::1%eth0', 'fe80::1%br-lan'])('leaves the zone of %s at home', (host) => {
    expect(write(host)).toEqual(hex`04 fe800000 00000000 00000000 00000001 0050`)
  })

  it.each([
    [0, hex`0000`],
    [1, hex`0001`],
    [256, hex`0100`],
    [65535, hex`ffff`]
  ])('has port %i high byte first', (port, bytes) => {
    expect(write('192.0.2.1', port)).toEqual(hex`01 c0000201 ${bytes}`)
    expect(read(hex`01 c0000201 ${bytes}`)).toEqual({ host: '192.0.2.1', port })
  })

  it.each([-1, 65536, 0.5, Number.NaN])('is not written with port %d', (port) => {
    expect(() => write('192.0.2.1', port)).toThrow(failure('InvalidAddressError', 'ERR_SOCKS_INVALID_ADDRESS'))
  })

  it.each([0x00, 0x02, 0x05, 0xff])('refuses ATYP %i as not supported', (code) => {
    const bytes = hex`${Uint8Array.of(code)} c0000201 0050`
    const unsupported = failure('AddressTypeError', 'ERR_SOCKS_ADDRESS_TYPE', 'address-type-not-supported')
    expect(() => read(bytes)).toThrow(unsupported)
  })

  it('refuses an empty name, read or written', () => {
    const refused = failure('EmptyNameError', 'ERR_SOCKS_EMPTY_NAME')
    expect(() => read(hex`03 00 0050`)).toThrow(refused)
    expect(() => write('')).toThrow(refused)
  })

  it.each(['\u0000', 'a\u0000.example', 'a b', 'a\t', 'a\r\nHost: b', '\u001B[2J', 'a\u007F', 'a\u009B2J'])(
    'refuses the name %j: for some resolvers and terminals it is not what it seems',
    (name) => {
      const refused = failure('TextError', 'ERR_SOCKS_TEXT')
      expect(() => read(named(name))).toThrow(refused)
      expect(() => write(name)).toThrow(refused)
    }
  )

  it.each([hex`c3 28`, hex`ff`, hex`ed a0 80`, hex`c0 80`])('refuses the name %o: it is not UTF-8', (name) => {
    const bytes = hex`03 ${Uint8Array.of(name.length)} ${name} 0050`
    expect(() => read(bytes)).toThrow(failure('TextError', 'ERR_SOCKS_TEXT'))
  })

  it('is not written with half a surrogate pair, which UTF-8 cannot hold', () => {
    expect(() => write('a\uD800.example')).toThrow(failure('TextError', 'ERR_SOCKS_TEXT'))
  })

  it.each(['a'.repeat(255), `${'é'.repeat(127)}a`])('holds a name of 255 bytes', (name) => {
    expect(write(name)).toHaveLength(1 + 1 + 255 + 2)
    expect(read(write(name))).toEqual({ host: name, port: 80 })
  })

  it.each(['a'.repeat(256), 'é'.repeat(128)])('is not written with a name of 256 bytes', (name) => {
    expect(() => write(name)).toThrow(failure('TooLongError', 'ERR_SOCKS_TOO_LONG'))
  })
})

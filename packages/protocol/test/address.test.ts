import { describe, expect, it } from 'vitest'
import {
  addressType,
  canonicalHost,
  formatAddress,
  ipFromBytes,
  ipToBytes,
  isLoopback,
  parseAddress,
  portToBytes,
  unspecified
} from '@it-socks/protocol'
import { hex } from '@it-socks/testing'
import { failure } from './failure.ts'

const invalid = failure('InvalidAddressError', 'ERR_SOCKS_INVALID_ADDRESS')

describe('addressType', () => {
  it.each(['0.0.0.0', '192.0.2.1', '255.255.255.255'])('takes %s for IPv4', (host) => {
    expect(addressType(host)).toBe('ipv4')
  })

  it.each(['::', '::1', '2001:db8::1', '2001:DB8::1', '::ffff:192.0.2.1', 'fe80::1%1', 'fe80::1%eth0'])(
    'takes %s for IPv6',
    (host) => expect(addressType(host)).toBe('ipv6')
  )

  it.each(['fe80::1%br-lan', 'fe80::1%eth0.100', 'fe80::1%docker_gw'])(
    'takes %s for IPv6: an interface is called what its machine likes',
    (host) => expect(addressType(host)).toBe('ipv6')
  )

  it.each(['localhost', 'example.com', 'bücher.example', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '0'])(
    'takes %s for a domain: only dotted decimal is IPv4',
    (host) => expect(addressType(host)).toBe('domain')
  )

  it.each([
    '256.0.0.1',
    '1.2.3',
    '1.2.3.4.5',
    '1::2::3',
    '12345::',
    '[::1]',
    'fe80::1%',
    'fe80::1%a b',
    'fe80::1%a%b',
    '%eth0',
    ':',
    ''
  ])('takes %o for a domain: it is no IP address', (host) => expect(addressType(host)).toBe('domain'))
})

describe('an IP address as bytes', () => {
  it.each([
    ['192.0.2.1', hex`c0 00 02 01`],
    ['::', new Uint8Array(16)],
    ['::1', hex`00000000 00000000 00000000 00000001`],
    ['2001:db8::1', hex`20010db8 00000000 00000000 00000001`],
    ['::ffff:c000:201', hex`00000000 00000000 0000ffff c0000201`]
  ])('%s is written and read', (host, bytes) => {
    expect(ipToBytes(host)).toEqual(bytes)
    expect(ipFromBytes(bytes)).toBe(host)
  })

  it.each(['fe80::1%eth0', 'fe80::1%br-lan'])('leaves the zone of %s out: it means something here only', (host) => {
    expect(ipToBytes(host)).toEqual(ipToBytes('fe80::1'))
  })

  it.each(['example.com', '', '127.1'])('is refused for %o, a domain', (host) => {
    expect(() => ipToBytes(host)).toThrow(invalid)
  })

  it.each([0, 3, 5, 15, 17])('is refused for %i bytes', (length) => {
    expect(() => ipFromBytes(new Uint8Array(length))).toThrow(invalid)
  })
})

describe('canonicalHost', () => {
  it.each([
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    // RFC 5952 section 4.2: the longest run of zeros, of equal ones the first, never a single zero.
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['[::ffff:c000:201]', '192.0.2.1'],
    ['FE80::1%eth0', 'fe80::1%eth0'],
    ['FE80::1%br-lan', 'fe80::1%br-lan'],
    ['192.0.2.1', '192.0.2.1'],
    ['Example.COM', 'Example.COM'],
    ['[example.com]', '[example.com]']
  ])('writes %s as %s', (host, canonical) => {
    expect(canonicalHost(host)).toBe(canonical)
  })
})

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost'])(
    'holds for %s',
    (host) => expect(isLoopback(host)).toBe(true)
  )

  it.each(['0.0.0.0', '::', '128.0.0.1', '::ffff:192.0.2.1', '::2', '127.1', 'localhost.example', ''])(
    'does not hold for %o',
    (host) => expect(isLoopback(host)).toBe(false)
  )
})

describe('parseAddress', () => {
  it.each([
    ['192.0.2.1:80', { host: '192.0.2.1', port: 80 }],
    ['example.com:0', { host: 'example.com', port: 0 }],
    ['example.com:65535', { host: 'example.com', port: 65535 }],
    ['example.com:00080', { host: 'example.com', port: 80 }],
    ['[::]:1080', { host: '::', port: 1080 }],
    ['[2001:DB8:0::1]:443', { host: '2001:db8::1', port: 443 }],
    ['[fe80::1%eth0]:22', { host: 'fe80::1%eth0', port: 22 }],
    ['[fe80::1%br-lan]:22', { host: 'fe80::1%br-lan', port: 22 }],
    ['[::ffff:192.0.2.1]:80', { host: '192.0.2.1', port: 80 }]
  ])('reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address)
  })

  it.each([
    '',
    ':',
    ':80',
    'example.com',
    'example.com:',
    'example.com:http',
    'example.com:-1',
    'example.com:65536',
    'example.com:100000',
    'example.com:80 ',
    'exa mple.com:80',
    '::1:80',
    '[::1]',
    '[]:80',
    '[192.0.2.1]:80',
    '[example.com]:80',
    'user@[::1]:80'
  ])('refuses %o', (text) => {
    expect(() => parseAddress(text)).toThrow(invalid)
  })
})

describe('formatAddress', () => {
  it.each([
    [{ host: '192.0.2.1', port: 80 }, '192.0.2.1:80'],
    [{ host: '2001:db8::1', port: 443 }, '[2001:db8::1]:443'],
    [{ host: 'fe80::1%br-lan', port: 22 }, '[fe80::1%br-lan]:22'],
    [{ host: 'example.com', port: 0 }, 'example.com:0'],
    [unspecified, '0.0.0.0:0']
  ])('writes %o', (address, text) => {
    expect(formatAddress(address)).toBe(text)
  })
})

describe('portToBytes', () => {
  it.each([
    [0, [0x00, 0x00]],
    [80, [0x00, 0x50]],
    [1080, [0x04, 0x38]],
    [65535, [0xff, 0xff]]
  ])('writes %i high byte first', (port, bytes) => {
    expect(portToBytes(port)).toEqual(bytes)
  })

  it.each([-1, 65536, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (port) => {
    expect(() => portToBytes(port)).toThrow(invalid)
  })
})

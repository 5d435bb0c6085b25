import { describe, expect, it } from 'vitest'
import { UsageError } from '../src/failure.ts'
import {
  parseCount,
  parseEndpoint,
  parseHost,
  parseOneOf,
  parsePort,
  parseSeconds,
  parseSecondsOrNone
} from '../src/options/parse.ts'

describe('parseEndpoint', () => {
  it.each([
    ['127.0.0.1:1080', { host: '127.0.0.1', port: 1080 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:65535', { host: 'localhost', port: 65535 }],
    ['unix:/run/it-socks.sock', { path: '/run/it-socks.sock' }],
    ['unix:proxy:1', { path: 'proxy:1' }]
  ])('reads %s', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint)
  })

  it.each(['', '1080', ':1080', '::1:1080', 'host', 'host:', 'host:x', '[host]:1', 'unix:', '::1:65536'])(
    'says what it takes instead of %j',
    (text) => {
      expect(() => parseEndpoint(text)).toThrow(UsageError)
      expect(() => parseEndpoint(text)).toThrow('takes host:port or unix:/path (IPv6 goes in brackets)')
    }
  )
})

describe('parseEndpoint, given a port that is none', () => {
  it.each(['127.0.0.1:65536', '127.0.0.1:99999', 'host:123456', '[::1]:65536'])('says so of %s', (text) => {
    expect(() => parseEndpoint(text)).toThrow(new UsageError('takes a port from 0 to 65535'))
  })
})

describe('parseSeconds', () => {
  it.each([
    ['1', 1000],
    ['0.25', 250],
    ['0.0001', 1],
    ['2147483', 2_147_483_000]
  ])('reads %s as milliseconds', (text, milliseconds) => {
    expect(parseSeconds(text)).toBe(milliseconds)
  })

  it.each(['', '0', '0.0', '-1', '1s', '1e3', 'Infinity', ' 1', '.5', '2147484'])('does not take %j', (text) => {
    expect(() => parseSeconds(text)).toThrow(UsageError)
  })

  it('takes 0 where none is an answer', () => {
    expect(parseSecondsOrNone('0')).toBe(0)
  })
})

describe('the other values', () => {
  it.each(['0', '-1', '1.5', 'many', '', '9999999999999999'])('a count is not %j', (text) => {
    expect(() => parseCount(text)).toThrow(UsageError)
  })

  it('a count is a whole number', () => {
    expect(parseCount('100')).toBe(100)
  })

  it.each(['0', '65536', '-22', '22a', ''])('a port is not %j', (text) => {
    expect(() => parsePort(text)).toThrow(UsageError)
  })

  it('a port is a number', () => {
    expect(parsePort('22')).toBe(22)
  })

  it.each(['', '[]', 'a b', 'http://host', 'user@host', 'host:80', '[::1]:80', 'alice:secret', '[host]'])(
    'a host is not %j',
    (text) => {
      expect(() => parseHost(text)).toThrow(UsageError)
    }
  )

  it('a host may be IPv6, in brackets or not', () => {
    expect(parseHost('[::1]')).toBe('::1')
    expect(parseHost('2001:DB8::0:1')).toBe('2001:db8::1')
  })

  it('a choice is one of those offered', () => {
    expect(parseOneOf(['a', 'b'])('b')).toBe('b')
    expect(() => parseOneOf(['a', 'b'])('c')).toThrow('takes one of a, b')
  })
})

describe('every value', () => {
  const secret = 'alice:hunter2@proxy.example:80'

  it.each<[name: string, parse: (text: string) => unknown]>([
    ['an endpoint', parseEndpoint],
    ['seconds', parseSeconds],
    ['seconds or none', parseSecondsOrNone],
    ['a count', parseCount],
    ['a host', parseHost],
    ['a port', parsePort],
    ['a choice', parseOneOf(['a', 'b'])]
  ])('%s is not repeated where it is wrong: it may be a password', (_name, parse) => {
    for (const text of [secret, `socks5://${secret}`, 'alice:hunter2']) {
      expect(() => parse(text)).toThrow(UsageError)
      expect(() => parse(text)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('hunter2') }))
    }
  })
})

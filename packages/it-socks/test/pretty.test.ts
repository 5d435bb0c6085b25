import { describe, expect, it } from 'vitest'
import { bytes, duration, harmless, prettyFormatter } from '../src/log/pretty.ts'

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9950, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [52_428_800, '52 MB'],
    [Number.MAX_SAFE_INTEGER, '9.0 PB']
  ])('writes %d as %s', (count, text) => {
    expect(bytes(count)).toBe(text)
  })
})

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [0.999, '999 ms'],
    [1, '1.0 s'],
    [59.9, '59.9 s'],
    [59.96, '1 min 0 s'],
    [3599, '59 min 59 s'],
    [7325, '2 h 2 min']
  ])('writes %d s as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text)
  })
})

describe('harmless', () => {
  it('shows what a terminal would obey', () => {
    expect(harmless('a\u001b[2Jb\nc\u009bd\u202ee')).toBe('a\\u{1b}[2Jb\\u{a}c\\u{9b}d\\u{202e}e')
  })

  it('leaves text alone', () => {
    expect(harmless('jürgen → 例え.jp {x}')).toBe('jürgen → 例え.jp {x}')
  })
})

describe('prettyFormatter', () => {
  const timestamp = new Date(2026, 0, 2, 3, 4, 5).getTime()
  const record = { category: ['it-socks', 'session'], level: 'info', message: [''], rawMessage: '', timestamp } as const
  const session = {
    event: 'session',
    session: 1,
    listener: '127.0.0.1:1080',
    client: '127.0.0.1:5000',
    destination: 'example.com:80',
    up: 77,
    down: 1256,
    seconds: 0.31,
    outcome: 'ok'
  }

  it('writes a session on one line', () => {
    const line = prettyFormatter({ colours: false })({ ...record, properties: { ...session, user: 'alice' } })
    expect(line).toBe('03:04:05 127.0.0.1:5000 → example.com:80 (alice)       ↑ 77 B  ↓ 1.3 kB  310 ms  ok\n')
  })

  it.each([
    [{ command: 'connect' }, '127.0.0.1:5000 → example.com:80'],
    [{ command: 'bind' }, '127.0.0.1:5000 → BIND example.com:80'],
    [{ command: 'udpAssociate' }, '127.0.0.1:5000 → UDP'],
    [{ command: 'resolve' }, '127.0.0.1:5000 → RESOLVE example.com'],
    [{ command: 'resolvePtr', destination: '[2001:db8::1]:0' }, '127.0.0.1:5000 → RESOLVE_PTR [2001:db8::1]'],
    [{ method: 'socks4' }, '127.0.0.1:5000 → example.com:80 (SOCKS4)'],
    [{ method: 'socks4', user: 'alice' }, '127.0.0.1:5000 → example.com:80 (alice, SOCKS4)']
  ])('says what %j wanted', (properties, way) => {
    const line = prettyFormatter({ colours: false })({ ...record, properties: { ...session, ...properties } })
    expect(line).toMatch(/^03:04:05 .+ {2}↑/)
    expect(line.slice(9, line.indexOf('↑')).trimEnd()).toBe(way)
  })

  it('says how many datagrams were dropped, and why, where some were', () => {
    const lineOf = (dropped: Record<string, number>): string =>
      prettyFormatter({ colours: false })({ ...record, properties: { ...session, dropped } })
    expect(lineOf({ rule: 2, fragment: 0, 'queue-full': 1 })).toMatch(/ {2}ok {2}dropped 2 rule, 1 queue-full\n$/)
    expect(lineOf({ rule: 0 })).toMatch(/ {2}ok\n$/)
  })

  it('tells why a session failed, and keeps a client’s text on its line', () => {
    const failure = { outcome: 'RefusedError', reply: 'connection-refused', reason: 'cannot\nreach' }
    const properties = { ...session, ...failure, user: '\u001b[2J\nfaked line' }
    const line = prettyFormatter({ colours: false })({ ...record, properties })
    expect(line).toContain('(\\u{1b}[2J\\u{a}faked line)')
    expect(line).toMatch(/ {2}RefusedError connection-refused: cannot\\u\{a\}reach\n$/)
    expect(line.split('\n')).toHaveLength(2)
  })

  it('has colours where they are wanted', () => {
    expect(prettyFormatter({ colours: true })({ ...record, properties: session })).toContain('\u001b[32mok\u001b[0m')
  })
})

import { describe, expect, it } from 'vitest'
import { UsageError } from '../src/failure.ts'
import { parseFamily, parseHostEntry, parseIp, parseNameServer, parsePortRange } from '../src/options/network.ts'

describe('parseIp', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['[2001:DB8::0:1]', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1']
  ])('reads %s', (text, ip) => {
    expect(parseIp(text)).toBe(ip)
  })

  it.each(['', 'proxy.example', '192.0.2', '192.0.2.1:80', '192.0.2.0/24', 'fe80::1%eth0'])(
    'does not take %j',
    (text) => {
      expect(() => parseIp(text)).toThrow(new UsageError('takes an IP address'))
    }
  )
})

describe('parseNameServer', () => {
  it.each([
    ['192.0.2.53', { host: '192.0.2.53', port: 53 }],
    ['192.0.2.53:5353', { host: '192.0.2.53', port: 5353 }],
    ['2001:db8::53', { host: '2001:db8::53', port: 53 }],
    ['[2001:db8::53]', { host: '2001:db8::53', port: 53 }],
    ['[2001:db8::53]:65535', { host: '2001:db8::53', port: 65535 }]
  ])('reads %s', (text, server) => {
    expect(parseNameServer(text)).toEqual(server)
  })

  it.each(['', 'dns.example', 'dns.example:53', '192.0.2.53:', '192.0.2.53:0', '192.0.2.53:65536', ':53', '[]:53'])(
    'does not take %j',
    (text) => {
      expect(() => parseNameServer(text)).toThrow(
        new UsageError('takes ip or ip:port (IPv6 with a port goes in brackets)')
      )
    }
  )
})

describe('parseHostEntry', () => {
  it.each([
    ['intranet=192.0.2.1', ['intranet', ['192.0.2.1']]],
    ['a.example=192.0.2.1,2001:db8::1,[2001:db8::2]', ['a.example', ['192.0.2.1', '2001:db8::1', '2001:db8::2']]]
  ])('reads %s', (text, entry) => {
    expect(parseHostEntry(text)).toEqual(entry)
  })

  it.each([
    '',
    'a',
    'a=',
    '=192.0.2.1',
    'a=b',
    'a=192.0.2.1,',
    'a=192.0.2.1,b',
    'a b=192.0.2.1',
    '192.0.2.1=192.0.2.2'
  ])('does not take %j', (text) => {
    expect(() => parseHostEntry(text)).toThrow(new UsageError('takes name=ip or name=ip,ip'))
  })
})

describe('parsePortRange', () => {
  it.each([
    ['40000-40999', [40_000, 40_999]],
    ['1-65535', [1, 65_535]],
    ['40000', [40_000, 40_000]]
  ])('reads %s', (text, range) => {
    expect(parsePortRange(text)).toEqual(range)
  })

  it.each(['', '-', '0-1', '2-1', '1-65536', '1-', '-1', '1-2-3', 'a-b', '1 - 2', '40000-'])(
    'does not take %j',
    (text) => {
      expect(() => parsePortRange(text)).toThrow(new UsageError('takes first-last, two ports from 1 to 65535'))
    }
  )
})

describe('parseFamily', () => {
  it('is 4 or 6', () => {
    expect([parseFamily('4'), parseFamily('6')]).toEqual([4, 6])
    expect(() => parseFamily('5')).toThrow(new UsageError('takes one of 4, 6'))
  })
})

describe('every value', () => {
  it.each<[name: string, parse: (text: string) => unknown]>([
    ['an IP address', parseIp],
    ['a name server', parseNameServer],
    ['a host entry', parseHostEntry],
    ['a range of ports', parsePortRange],
    ['a family', parseFamily]
  ])('%s is not repeated where it is wrong: it may be a password', (_name, parse) => {
    for (const text of ['alice:hunter2', 'alice=hunter2', 'hunter2:53', 'alice:hunter2@192.0.2.1:53']) {
      expect(() => parse(text)).toThrow(UsageError)
      expect(() => parse(text)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('hunter2') }))
    }
  })
})

import { describe, expect, it } from 'vitest'
import { judge, parseRule, privateNetworks } from '@it-socks/rules'
import { attempt } from './attempt.ts'

/** Ways to spell this machine, or one that is its neighbour, as an IP address. */
const spellings = [
  '127.0.0.1',
  '127.127.127.127',
  '0.0.0.0',
  '0.0.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '100.100.100.200',
  '10.0.0.1',
  '172.17.0.1',
  '192.168.0.1',
  '192.0.0.170',
  '198.18.0.1',
  '224.0.0.251',
  '239.255.255.250',
  '255.255.255.255',
  '::',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:7f00:1',
  '::FFFF:169.254.169.254',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::7f00:1',
  '64:ff9b:1:7f00:1::',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  '2001:0:4136:e378:8000:63bf:80ff:fffe',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'fd00::1',
  'fd00:ec2::254',
  'ff02::1',
  'ff05::1:3'
]

const hosts = ['localhost', 'localhost.', 'LOCALHOST', 'LocalHost.', 'foo.localhost', 'a.b.Localhost.', 'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ']

const judged = (circumstances: Parameters<typeof attempt>[0]) =>
  judge([privateNetworks], attempt(circumstances)).verdict

describe('privateNetworks', () => {
  it.each(spellings)('denies %s, asked for or resolved, to a client from elsewhere', (ip) => {
    expect(judged({ to: ip })).toBe('deny')
    expect(judged({ to: 'innocent.example', ip })).toBe('deny')
  })

  it.each(hosts)('denies %s without looking it up', (host) => {
    expect(judged({ to: host })).toBe('deny')
  })

  it.each(hosts)('denies %s even where it resolves to a public address', (host) => {
    expect(judged({ to: host, ip: '8.8.8.8' })).toBe('deny')
  })

  it.each(['2130706433', '0x7f.1', '0x7f000001', '127.1', '017700000001', '0177.0.0.1', '127.0.0.1.nip.io'])(
    'waits for the address of %s, which is a name to us, and denies it then',
    (host) => {
      expect(judged({ to: host })).toBeUndefined()
      expect(judged({ to: host, ip: '127.0.0.1' })).toBe('deny')
    }
  )

  it.each(['8.8.8.8', '2606:4700:4700::1111', '64:ff9b::8.8.8.8', '192.0.2.1'])('leaves %s alone', (ip) => {
    expect(judged({ to: 'example.com', ip })).toBe('allow')
  })

  it.each([null, '127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])('lets a client at %s go anywhere', (from) => {
    for (const ip of spellings) expect(judged({ from, to: 'example.com', ip })).toBe('allow')
    expect(judged({ from, to: 'localhost' })).toBe('allow')
    expect(judged({ from, to: 'example.com' })).toBe('allow')
  })

  it.each(['10.0.0.1', '192.168.0.1', 'fe80::1%eth0', '64:ff9b::127.0.0.1', '2002:7f00:1::1', 'a name', ''])(
    'does not take a client at %j for one on loopback',
    (from) => {
      expect(judged({ from, to: 'example.com', ip: '127.0.0.1' })).toBe('deny')
    }
  )

  it.each(['connect', 'bind', 'udpAssociate', 'resolve', 'resolvePtr'] as const)(
    'is about every command: %s',
    (command) => {
      expect(judged({ command, to: '10.0.0.1' })).toBe('deny')
      expect(judged({ command })).toBeUndefined()
    }
  )

  it('says in words what it is about', () => {
    expect(judge([privateNetworks], attempt({ to: '10.0.0.1' })).rule).toBe(
      'private networks are for clients on loopback'
    )
  })

  it('goes before rules that allow names, and has the word once the name is resolved', () => {
    const rules = [privateNetworks, parseRule('allow to rebind.example')]
    expect(judge(rules, attempt({ to: 'rebind.example' }), 'deny').verdict).toBeUndefined()
    expect(judge(rules, attempt({ to: 'rebind.example', ip: '127.0.0.1' }), 'deny').verdict).toBe('deny')
    expect(judge(rules, attempt({ to: 'rebind.example', ip: '192.0.2.1' }), 'deny').verdict).toBe('allow')
  })
})

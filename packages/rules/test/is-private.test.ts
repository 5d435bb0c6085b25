import { describe, expect, it } from 'vitest'
import { isPrivate } from '@it-socks/rules'

/** Networks, each with the addresses on both sides of both of its edges. */
const edges: [network: string, before: string, first: string, last: string, after: string][] = [
  ['RFC 1918, 10/8', '9.255.255.255', '10.0.0.0', '10.255.255.255', '11.0.0.0'],
  ['carrier-grade NAT', '100.63.255.255', '100.64.0.0', '100.127.255.255', '100.128.0.0'],
  ['IPv4 loopback', '126.255.255.255', '127.0.0.0', '127.255.255.255', '128.0.0.0'],
  ['IPv4 link-local', '169.253.255.255', '169.254.0.0', '169.254.255.255', '169.255.0.0'],
  ['RFC 1918, 172.16/12', '172.15.255.255', '172.16.0.0', '172.31.255.255', '172.32.0.0'],
  ['protocol assignments', '191.255.255.255', '192.0.0.0', '192.0.0.255', '192.0.1.0'],
  ['RFC 1918, 192.168/16', '192.167.255.255', '192.168.0.0', '192.168.255.255', '192.169.0.0'],
  ['benchmarking', '198.17.255.255', '198.18.0.0', '198.19.255.255', '198.20.0.0'],
  ['NAT64 for local use', '64:ff9b:0:ffff::', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff', '64:ff9b:2::'],
  [
    'unique-local',
    'fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'fc00::',
    'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'fe00::'
  ],
  ['IPv4 mapped', '::ffff:9.255.255.255', '::ffff:10.0.0.0', '::ffff:10.255.255.255', '::ffff:11.0.0.0'],
  ['IPv4 compatible', '::9.255.255.255', '::10.0.0.0', '::10.255.255.255', '::11.0.0.0'],
  [
    'IPv4 translated',
    '::ffff:0:172.15.255.255',
    '::ffff:0:172.16.0.0',
    '::ffff:0:172.31.255.255',
    '::ffff:0:172.32.0.0'
  ],
  ['NAT64', '64:ff9b::192.167.255.255', '64:ff9b::192.168.0.0', '64:ff9b::192.168.255.255', '64:ff9b::192.169.0.0'],
  ['6to4', '2002:a9fd:ffff:ffff::', '2002:a9fe::', '2002:a9fe:ffff:ffff:ffff:ffff:ffff:ffff', '2002:a9ff::'],
  // 9.255.255.255 inverted is f600:0000, 10.0.0.0 is f5ff:ffff, 10.255.255.255 is f500:0000, 11.0.0.0 is f4ff:ffff.
  ['Teredo', '2001::f600:0', '2001::f5ff:ffff', '2001::f500:0', '2001::f4ff:ffff']
]

describe('isPrivate', () => {
  it.each(edges)('knows where %s starts and ends', (_, before, first, last, after) => {
    expect([before, first, last, after].map(isPrivate)).toEqual([false, true, true, false])
  })

  it.each([
    ['this network', '0.0.0.0', '0.255.255.255', '1.0.0.0'],
    ['unspecified and loopback of IPv6', '::', '::1', '::1:0:0:0'],
    ['multicast and reserved, up to broadcast', '224.0.0.0', '255.255.255.255', '223.255.255.255'],
    ['link-local and site-local of IPv6', 'fe80::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fe7f:ffff::'],
    ['multicast of IPv6', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2000::']
  ])('knows %s', (_, first, last, other) => {
    expect([first, last, other].map(isPrivate)).toEqual([true, true, false])
  })

  it.each([
    '8.8.8.8',
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
    '2606:4700:4700::1111',
    '2001:db8::1',
    '2001:4860:4860::8888',
    '::8.8.8.8',
    '::ffff:8.8.8.8',
    '::ffff:0:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
    // 8.8.8.8, inverted; its server, which nobody reaches by this address, is private.
    '2001:0:a00:1::f7f7:f7f7',
    // Looks like NAT64, 6to4 and Teredo, and is none.
    '64:ff9b::1:7f00:1',
    '2003:7f00:1::',
    '2001:1::80ff:fffe'
  ])('leaves %s alone', (ip) => {
    expect(isPrivate(ip)).toBe(false)
  })

  it.each(['fe80::1%eth0', 'fe80::1%br-lan', 'FE80::1%25', '::ffff:127.0.0.1%lo'])(
    'does not mind the zone of %s',
    (ip) => {
      expect(isPrivate(ip)).toBe(true)
    }
  )

  it.each([
    ['localhost', true],
    ['LocalHost.', true],
    ['foo.localhost', true],
    ['foo.bar.LOCALHOST.', true],
    ['ｌｏｃａｌｈｏｓｔ', true],
    ['foo。localhost', true],
    ['localhost.example', false],
    ['notlocalhost', false],
    ['localhost..', false],
    ['router.example', false],
    ['127.1', false],
    ['', false]
  ])('takes the name %j by its word alone: %s', (name, expected) => {
    expect(isPrivate(name)).toBe(expected)
  })
})

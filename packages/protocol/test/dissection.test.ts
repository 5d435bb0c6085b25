import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  credentials,
  credentialsStatus,
  datagramHeader,
  decode,
  dissect,
  greeting,
  methodSelection,
  reply,
  reply4,
  request,
  request4,
  type Message
} from '@it-socks/protocol'
import { hex } from '@it-socks/testing'

/** A dissection as a table: offset, length, name, meaning. */
const rows = <T>(message: Message<T>, bytes: Uint8Array) =>
  dissect(message, bytes).map(({ offset, length, name, meaning }) => `${offset}+${length} ${name}: ${meaning}`)

describe('dissect', () => {
  it('names the fields of a greeting', () => {
    expect(rows(greeting, hex`05 03 00 02 80`)).toEqual([
      '0+1 VER: version 5',
      '1+1 NMETHODS: 3 methods',
      '2+3 METHODS: 00 02 80'
    ])
  })

  it.each([
    [0x00, 'no authentication required'],
    [0x01, 'GSSAPI'],
    [0x02, 'username/password'],
    [0x03, 'unassigned'],
    [0x80, 'private'],
    [0xfe, 'private'],
    [0xff, 'no acceptable methods']
  ])('says of method %i: %s', (method, meaning) => {
    expect(rows(methodSelection, Uint8Array.of(5, method))).toEqual(['0+1 VER: version 5', `1+1 METHOD: ${meaning}`])
  })

  it('names the fields of a request to IPv4', () => {
    expect(rows(request, hex`05 01 00 01 c0000201 0050`)).toEqual([
      '0+1 VER: version 5',
      '1+1 CMD: connect',
      '2+1 RSV: reserved',
      '3+1 ATYP: ipv4',
      '4+4 DST.ADDR: 192.0.2.1',
      '8+2 DST.PORT: 80'
    ])
  })

  it('names the fields of a reply from IPv6', () => {
    expect(rows(reply, hex`05 05 00 04 20010db8 00000000 00000000 00000001 01bb`)).toEqual([
      '0+1 VER: version 5',
      '1+1 REP: connection-refused',
      '2+1 RSV: reserved',
      '3+1 ATYP: ipv6',
      '4+16 BND.ADDR: 2001:db8::1',
      '20+2 BND.PORT: 443'
    ])
  })

  it('names the fields of a datagram to a domain, and leaves its data out', () => {
    expect(rows(datagramHeader, hex`0000 00 03 03 ${'dns'} 0035 ${'data'}`)).toEqual([
      '0+1 RSV: reserved',
      '1+1 RSV: reserved',
      '2+1 FRAG: stands alone',
      '3+1 ATYP: domain',
      '4+1 DST.ADDR length: 3 bytes',
      '5+3 DST.ADDR: "dns"',
      '8+2 DST.PORT: 53'
    ])
    expect(rows(datagramHeader, hex`0000 82`)[2]).toBe('2+1 FRAG: fragment 2')
  })

  it('names the fields of a SOCKS4 request', () => {
    expect(rows(request4, hex`04 01 0050 c0000201 ${'alice'} 00`)).toEqual([
      '0+1 VN: version 4',
      '1+1 CD: connect',
      '2+2 DSTPORT: 80',
      '4+4 DSTIP: 192.0.2.1',
      '8+6 USERID: "alice"'
    ])
  })

  it('names the fields of a SOCKS4a request, NULs among them', () => {
    expect(rows(request4, hex`04 02 01bb 00000001 00 ${'example.com'} 00 ff`)).toEqual([
      '0+1 VN: version 4',
      '1+1 CD: bind',
      '2+2 DSTPORT: 443',
      '4+4 DSTIP: 0.0.0.1: a domain comes behind USERID',
      '8+1 USERID: ""',
      '9+12 DOMAIN: "example.com"'
    ])
  })

  it.each([
    [0x5a, 'granted'],
    [0x5b, 'rejected or failed'],
    [0x5c, 'identd cannot be reached'],
    [0x5d, 'the user id is refused'],
    [0x5e, 'unassigned']
  ])('names the fields of a SOCKS4 reply: %i is %s', (cd, meaning) => {
    expect(rows(reply4, hex`00 ${Uint8Array.of(cd)} 0fa0 00000001`)).toEqual([
      '0+1 VN: version 0',
      `1+1 CD: ${meaning}`,
      '2+2 DSTPORT: 4000',
      '4+4 DSTIP: 0.0.0.1'
    ])
  })

  it('shows as much of a user id as there may be, where it has no end', () => {
    const meaning = `"${'a'.repeat(256)}"`
    expect(rows(request4, hex`04 01 0050 c0000201 ${'a'.repeat(300)}`).at(-1)).toBe(`8+256 USERID: ${meaning}`)
  })

  it('names the fields of a credentials status', () => {
    expect(rows(credentialsStatus, hex`01 00`)).toEqual(['0+1 VER: version 1', '1+1 STATUS: success'])
    expect(rows(credentialsStatus, hex`01 07`)).toEqual(['0+1 VER: version 1', '1+1 STATUS: failure'])
  })

  it('writes a domain so that it cannot act on the reader’s terminal', () => {
    expect(rows(request, hex`05 01 00 03 06 1b ${'[2J'} 0a 07 0050`).at(-1)).toBe(
      String.raw`5+6 DST.ADDR: "\u001b[2J\n\u0007"`
    )
    expect(rows(request, hex`05 01 00 03 04 c29b 7f 41 0050`).at(-1)).toBe(String.raw`5+4 DST.ADDR: "\u009b\u007fA"`)
    expect(rows(request, hex`05 01 00 03 05 efbbbf 41 42 0050`).at(5)).toBe('5+5 DST.ADDR: "\uFEFFAB"')
  })

  it('goes as far as the bytes do, field by field', () => {
    const bytes = hex`05 01 00 03 0b ${'example.com'} 0050`
    const whole = rows(request, bytes)
    const ends = dissect(request, bytes).map(({ offset, length }) => offset + length)
    for (let length = 0; length <= bytes.length; length++) {
      const complete = ends.filter((end) => end <= length).length
      expect(rows(request, bytes.subarray(0, length))).toEqual(whole.slice(0, complete))
    }
  })

  it.each([
    [hex`04 01`, ['0+1 VER: version 4']],
    [hex`05 09 00 01`, ['0+1 VER: version 5', '1+1 CMD: unknown']],
    [hex`05 01 07 01`, ['0+1 VER: version 5', '1+1 CMD: connect', '2+1 RSV: reserved']],
    [hex`05 01 00 02 ff`, ['0+1 VER: version 5', '1+1 CMD: connect', '2+1 RSV: reserved', '3+1 ATYP: unknown']]
  ])('shows the field that breaks the RFC last: %o', (bytes, expected) => {
    expect(rows(request, bytes)).toEqual(expected)
  })

  it('shows a name that is not UTF-8', () => {
    expect(rows(request, hex`05 01 00 03 02 c328 0050`).at(-1)).toBe('5+2 DST.ADDR: "\uFFFD("')
  })
})

describe('a password', () => {
  const secret = 'xyzzy-plugh'
  const sent = credentials.encode({ username: 'alice', password: secret })

  it('is hidden in a dissection, whole or cut short', () => {
    expect(rows(credentials, sent)).toEqual([
      '0+1 VER: version 1',
      '1+1 ULEN: 5 bytes',
      '2+5 UNAME: "alice"',
      '7+1 PLEN: (hidden)',
      '8+11 PASSWD: (hidden)'
    ])
    expect(rows(credentials, sent.subarray(0, -1))).toHaveLength(4)
  })

  /** Everything that a log could make of an error: its message, stack, fields and causes. */
  const told = (act: () => unknown): string => {
    try {
      act()
    } catch (error) {
      return inspect(error, { depth: null, showHidden: true })
    }
    throw new Error('nothing was thrown')
  }
  const bytesOf = (text: string): string => new TextEncoder().encode(text).join(', ')

  it.each([
    ['cut short', () => decode(credentials, sent.subarray(0, -1))],
    ['not UTF-8', () => decode(credentials, hex`01 05 ${'alice'} 0d ${secret} c328`)],
    ['too long to send', () => credentials.encode({ username: 'alice', password: secret.repeat(30) })],
    [
      'sent with a user name that is too long',
      () => credentials.encode({ username: 'a'.repeat(256), password: secret })
    ],
    ['sent without a user name', () => credentials.encode({ username: '', password: secret })],
    ['half a surrogate pair', () => credentials.encode({ username: 'alice', password: `${secret}\uD800` })]
  ])('is not in the error where it is %s', (_, act) => {
    expect(told(act)).toMatch(/ERR_SOCKS_/)
    expect(told(act)).not.toContain(secret)
    expect(told(act)).not.toContain(bytesOf(secret.slice(0, 4)))
  })
})

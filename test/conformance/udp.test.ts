import { parseRule } from '@it-socks/rules'
import { hex } from '@it-socks/testing'
import { describe } from 'vitest'
import { datagramConformance, type DatagramCase } from './datagrams.ts'
import { conformance } from './table.ts'

/** 192.0.2.1:53, before data. */
const peer = hex`01 c0000201 0035`
const other = hex`01 c0000202 0035`
/** A datagram of the client's, behind RSV. */
const client = (bytes: Uint8Array) => ({ from: 'client', bytes: hex`0000 ${bytes}` })
const whole = client(hex`00 ${peer} ${'hello'}`)
const back = hex`0000 00 ${peer} ${'hello'}`
const arrived = ['192.0.2.1:53', hex`${'hello'}`] as const

const relaying = (one: Pick<DatagramCase, 'name' | 'request'>): DatagramCase => ({
  ...one,
  sent: [whole],
  peers: [arrived],
  client: [back]
})

describe('UDP ASSOCIATE: a client may say that it sends from', () => {
  datagramConformance(
    {},
    [
      { name: '0.0.0.0:0: it does not know', request: hex`01 00000000 0000` },
      { name: ':::0', request: hex`04 00000000000000000000000000000000 0000` },
      { name: 'its address and port', request: hex`01 7f000001 9c40` },
      { name: 'the domain "0" and its port, as PySocks does', request: hex`03 01 ${'0'} 9c40` },
      { name: 'the domain "127.0.0.1" and port 0, as Perl does', request: hex`03 09 ${'127.0.0.1'} 0000` },
      { name: 'a domain that has no address, which nobody looks up', request: hex`03 0c ${'nobody.local'} 0000` },
      { name: 'the address of a network behind NAT', request: hex`01 0a000005 0000` }
    ].map(relaying)
  )

  datagramConformance({}, [
    {
      name: 'another port than it then does: nothing of it passes',
      request: hex`01 7f000001 9c41`,
      sent: [whole],
      client: []
    }
  ])
})

describe('UDP ASSOCIATE: datagrams there and back', () => {
  datagramConformance({}, [
    { name: 'by IPv4 address', sent: [whole], peers: [arrived], client: [back] },
    {
      name: 'by IPv6 address',
      sent: [client(hex`00 04 20010db8000000000000000000000001 0035 ${'hello'}`)],
      peers: [['[2001:db8::1]:53', hex`${'hello'}`]],
      client: [hex`0000 00 04 20010db8000000000000000000000001 0035 ${'hello'}`]
    },
    {
      name: 'by an IPv4 address that is mapped into IPv6',
      sent: [client(hex`00 04 00000000000000000000ffff c0000201 0035 ${'hello'}`)],
      peers: [arrived],
      client: [back]
    },
    {
      name: 'by domain: the answer has the address in front',
      sent: [client(hex`00 03 0b ${'one.example'} 0035 ${'hello'}`)],
      peers: [arrived],
      client: [back]
    },
    {
      name: 'by a domain that spells an address',
      sent: [client(hex`00 03 09 ${'192.0.2.1'} 0035 ${'hello'}`)],
      peers: [arrived],
      client: [back]
    },
    {
      name: 'without data',
      sent: [client(hex`00 ${peer}`)],
      peers: [['192.0.2.1:53', hex``]],
      client: [hex`0000 00 ${peer}`]
    },
    {
      name: 'to several peers in one association',
      sent: [whole, client(hex`00 ${other} ${'you'}`), whole],
      peers: [arrived, ['192.0.2.2:53', hex`${'you'}`], arrived],
      client: [back, hex`0000 00 ${other} ${'you'}`, back]
    },
    {
      name: 'from a peer that nobody had sent anything to: a full cone',
      sent: [whole, { from: '198.51.100.1:9', bytes: hex`${'unasked'}` }],
      peers: [arrived],
      client: [back, hex`0000 00 01 c6336401 0009 ${'unasked'}`]
    },
    {
      name: 'from another port of the client’s host: that is a peer’s, header or not',
      sent: [whole, { from: '127.0.0.1:40001', bytes: hex`0000 00 ${peer} ${'mine'}` }],
      peers: [arrived],
      client: [back, hex`0000 00 01 7f000001 9c41 0000 00 ${peer} ${'mine'}`]
    }
  ])
})

describe('UDP ASSOCIATE: a datagram without a proper header is dropped, and the next one passes', () => {
  const header = hex`0000 00 03 0b ${'one.example'} 0035`
  datagramConformance(
    {},
    [
      ...Array.from({ length: header.length }, (_, length) => ({
        name: `${length} of ${header.length} bytes`,
        bytes: header.subarray(0, length)
      })),
      { name: 'RSV 0x0100', bytes: hex`0100 00 ${peer} ${'hello'}` },
      { name: 'RSV 0x0001', bytes: hex`0001 00 ${peer} ${'hello'}` },
      { name: 'ATYP 0', bytes: hex`0000 00 00 c0000201 0035` },
      { name: 'ATYP 2', bytes: hex`0000 00 02 c0000201 0035` },
      { name: 'a domain of no bytes', bytes: hex`0000 00 03 00 0035 ${'hello'}` },
      { name: 'port 0', bytes: hex`0000 00 01 c0000201 0000 ${'hello'}` }
    ].map(({ name, bytes }): DatagramCase => ({
      name,
      sent: [{ from: 'client', bytes }, whole],
      peers: [arrived],
      client: [back],
      dropped: { malformed: 1 }
    }))
  )

  datagramConformance({}, [
    {
      name: 'a domain without an address',
      sent: [client(hex`00 03 14 ${'unresolvable.example'} 0035 ${'hello'}`), whole],
      peers: [arrived],
      client: [back],
      dropped: { unresolvable: 1 }
    },
    {
      name: 'a stranger’s, before the client has sent anything',
      sent: [{ from: '127.0.0.2:9', bytes: hex`${'unasked'}` }, whole],
      peers: [arrived],
      client: [back],
      dropped: { stranger: 1 }
    }
  ])
})

describe('UDP ASSOCIATE: rules are asked about each datagram', () => {
  datagramConformance(
    { rules: [parseRule('deny to 192.0.2.2'), parseRule('deny to two.example'), parseRule('deny to 2001:db8::/32')] },
    [
      { name: 'one that no rule denies', sent: [whole], peers: [arrived], client: [back] },
      {
        name: 'one to an address that is denied',
        sent: [client(hex`00 ${other} ${'hello'}`), whole],
        peers: [arrived],
        client: [back],
        dropped: { 'not-allowed': 1 }
      },
      {
        name: 'one to a name that is denied, whatever its address',
        sent: [client(hex`00 03 0b ${'two.example'} 0035 ${'hello'}`), whole],
        peers: [arrived],
        client: [back],
        dropped: { 'not-allowed': 1 }
      },
      {
        name: 'one to a name of which every address is denied',
        sent: [client(hex`00 03 0b ${'six.example'} 0035 ${'hello'}`), whole],
        peers: [arrived],
        client: [back],
        dropped: { 'not-allowed': 1 }
      },
      {
        name: 'one from a peer that is denied',
        sent: [whole, { from: '192.0.2.2:53', bytes: hex`${'unasked'}` }],
        peers: [arrived],
        client: [back],
        dropped: { 'not-allowed': 1 }
      }
    ]
  )
})

describe('UDP ASSOCIATE, refused', () => {
  const request = hex`05 01 00 05 03 00 01 00000000 0000`
  const refused = (rep: number) => hex`05 00 05 ${Uint8Array.of(rep)} 00 01 00000000 0000`

  describe('where it is not served', () => {
    const notServed = { name: 'by 7', says: request, hears: refused(7), fails: 'ERR_SOCKS_COMMAND_NOT_SUPPORTED' }
    conformance({ commands: ['connect'] }, [notServed])
  })

  describe('by rules', () => {
    const denied = { name: 'by 2', says: request, hears: refused(2), fails: 'ERR_SOCKS_RULE' }
    conformance({ rules: [parseRule('deny udp')] }, [denied])
  })

  describe('for want of a socket', () => {
    const datagramBinder = async () => {
      throw new Error('no socket')
    }
    conformance({ datagramBinder }, [{ name: 'by 1', says: request, hears: refused(1), fails: 'no socket' }])
  })
})

import { hex } from '@it-socks/testing'
import { describe } from 'vitest'
import { datagramConformance } from './datagrams.ts'

/** 192.0.2.1:53, before data. */
const peer = hex`01 c0000201 0035`
const other = hex`01 c0000202 0035`
/** A datagram of the client's, behind RSV. */
const client = (bytes: Uint8Array) => ({ from: 'client', bytes: hex`0000 ${bytes}` })
const whole = client(hex`00 ${peer} ${'hello'}`)
const back = hex`0000 00 ${peer} ${'hello'}`
const arrived = ['192.0.2.1:53', hex`${'hello'}`] as const

describe('UDP ASSOCIATE: fragments', () => {
  const piece = (fragment: number, data: string, to = peer) => client(hex`${Uint8Array.of(fragment)} ${to} ${data}`)
  const one = { peers: [arrived], client: [back] }

  datagramConformance({}, [
    { name: 'two, in order', sent: [piece(1, 'hel'), piece(0x82, 'lo')], ...one },
    { name: 'one alone, which is the last', sent: [piece(0x81, 'hello')], ...one },
    {
      name: 'five, one without data',
      sent: [piece(1, 'h'), piece(2, 'e'), piece(3, ''), piece(4, 'l'), piece(0x85, 'lo')],
      ...one
    },
    {
      name: 'to a domain',
      sent: [piece(1, 'hel', hex`03 0b ${'one.example'} 0035`), piece(0x82, 'lo', hex`03 0b ${'one.example'} 0035`)],
      ...one
    },
    { name: 'without the first: dropped', sent: [piece(2, 'hel'), piece(0x83, 'lo')], dropped: { fragment: 2 } },
    { name: 'in the wrong order: dropped', sent: [piece(0x82, 'lo'), piece(1, 'hel')], dropped: { fragment: 1 } },
    { name: 'with a gap: dropped', sent: [piece(1, 'hel'), piece(0x83, 'lo')], dropped: { fragment: 2 } },
    {
      name: 'that start anew: the ones before are dropped',
      sent: [piece(1, 'x'), piece(2, 'y'), piece(1, 'hel'), piece(0x82, 'lo')],
      ...one,
      dropped: { fragment: 2 }
    },
    {
      name: 'that start anew with a header that is none: the ones before are not dropped for it',
      sent: [piece(1, 'hel'), { from: 'client', bytes: hex`0000 01 03 00 0035` }, piece(0x82, 'lo')],
      ...one,
      dropped: { malformed: 1 }
    },
    {
      name: 'between which one stands alone: that passes, they are dropped',
      sent: [piece(1, 'x'), whole, piece(0x82, 'y')],
      ...one,
      dropped: { fragment: 2 }
    },
    {
      name: 'for two peers, mixed: dropped, until one starts anew',
      sent: [piece(1, 'hel'), piece(0x82, 'lo', other), piece(1, 'hel'), piece(0x82, 'lo')],
      ...one,
      dropped: { fragment: 2 }
    },
    {
      name: 'that are not all there when the association ends: nothing is sent',
      sent: [piece(1, 'hel')]
    }
  ])
})

import { RefusedError } from '@it-socks/protocol'
import { parseRule } from '@it-socks/rules'
import { hex } from '@it-socks/testing'
import { describe } from 'vitest'
import { conformance, type Case } from './table.ts'

/** Listening on 192.0.2.9:1234. */
const listening = hex`05 00 00 01 c0000209 04d2`
const refused = (rep: number) => hex`05 ${Uint8Array.of(rep)} 00 01 00000000 0000`

/** From the request on: BIND, for the DST.ADDR that is given. */
const binding = ({ says, hears, ...rest }: Case): Case => ({
  ...rest,
  says: hex`05 01 00 05 02 00 ${says}`,
  hears: hex`05 00 ${hears}`
})

/** A peer that is taken: it says `hello`, and hears what the client has for it. */
const welcome = (from: string, hears = hex``) => ({ from, says: hex`${'hello'}`, hears })
const stranger = (from: string) => ({ from, says: hex``, hears: 'reset' as const })

describe('BIND: two replies, the second with the address of who came', () => {
  conformance(
    {},
    [
      {
        name: 'anybody, by 0.0.0.0',
        says: hex`01 00000000 0000`,
        peers: [welcome('198.51.100.1:20')],
        hears: hex`${listening} 05 00 00 01 c6336401 0014 ${'hello'}`,
        does: ['listen for anybody']
      },
      {
        name: 'anybody, by ::',
        says: hex`04 00000000000000000000000000000000 0000`,
        peers: [welcome('198.51.100.1:20')],
        hears: hex`${listening} 05 00 00 01 c6336401 0014 ${'hello'}`,
        does: ['listen for anybody']
      },
      {
        name: 'an IPv4 address; its port does not count',
        says: hex`01 c0000201 0015`,
        peers: [welcome('192.0.2.1:5000')],
        hears: hex`${listening} 05 00 00 01 c0000201 1388 ${'hello'}`,
        does: ['listen for 192.0.2.1']
      },
      {
        name: 'an IPv6 address',
        says: hex`04 20010db8000000000000000000000001 0015`,
        peers: [welcome('[2001:db8::1]:5000')],
        hears: hex`${listening} 05 00 00 04 20010db8000000000000000000000001 1388 ${'hello'}`,
        does: ['listen for 2001:db8::1']
      },
      {
        name: 'any of the addresses of a domain',
        says: hex`03 0b ${'two.example'} 0015`,
        peers: [welcome('192.0.2.2:5000')],
        hears: hex`${listening} 05 00 00 01 c0000202 1388 ${'hello'}`,
        does: ['listen for 192.0.2.1']
      },
      {
        name: 'what the client says before anybody came waits for the peer',
        says: hex`01 c0000201 0015 ${'early'}`,
        peers: [welcome('192.0.2.1:5000', hex`${'early'}`)],
        hears: hex`${listening} 05 00 00 01 c0000201 1388 ${'hello'}`,
        does: ['listen for 192.0.2.1']
      },
      {
        name: 'whoever is not expected is reset, and the waiting goes on',
        says: hex`01 c0000201 0015`,
        peers: [stranger('192.0.2.3:5000'), stranger('[2001:db8::1]:5000'), welcome('192.0.2.1:5000')],
        hears: hex`${listening} 05 00 00 01 c0000201 1388 ${'hello'}`,
        does: ['listen for 192.0.2.1']
      },
      {
        name: 'whoever comes second is reset',
        says: hex`01 00000000 0000`,
        peers: [welcome('192.0.2.1:5000'), stranger('192.0.2.1:5001')],
        hears: hex`${listening} 05 00 00 01 c0000201 1388 ${'hello'}`,
        does: ['listen for anybody']
      }
    ].map(binding)
  )
})

describe('BIND, refused', () => {
  conformance(
    {},
    [
      {
        name: 'for a domain without an address: nobody listens',
        says: hex`03 14 ${'unresolvable.example'} 0015`,
        hears: refused(4),
        fails: 'ERR_SOCKS_UNRESOLVABLE'
      },
      {
        name: 'by the second reply, where the client leaves before anybody came',
        says: hex`01 c0000201 0015`,
        leaves: true,
        hears: hex`${listening} ${refused(1)}`,
        does: ['listen for 192.0.2.1'],
        fails: 'ERR_SOCKS_CLOSED'
      }
    ].map(binding)
  )

  describe('for want of a port', () => {
    const binder = async () => {
      throw new RefusedError('general-failure')
    }
    const nowhere = { name: 'nobody listens', says: hex`01 00000000 0000`, hears: refused(1) }
    conformance({ binder }, [binding({ ...nowhere, fails: 'ERR_SOCKS_GENERAL_FAILURE' })])
  })

  describe('where nobody comes in time', () => {
    const late = { name: 'by the second reply', says: hex`01 00000000 0000`, hears: hex`${listening} ${refused(6)}` }
    conformance({ bindTimeout: 1 }, [binding({ ...late, does: ['listen for anybody'], fails: 'ERR_SOCKS_DEADLINE' })])
  })

  describe('by rules', () => {
    conformance(
      { rules: [parseRule('deny to 192.0.2.1'), parseRule('deny bind to 198.51.100.0/24')] },
      [
        {
          name: 'for a peer that is denied: nobody listens',
          says: hex`01 c0000201 0000`,
          hears: refused(2),
          fails: 'ERR_SOCKS_RULE'
        },
        {
          name: 'for the command',
          says: hex`01 c6336401 0000`,
          hears: refused(2),
          fails: 'ERR_SOCKS_RULE'
        },
        {
          name: 'not for a domain of which one address is permitted; but the other may not come',
          says: hex`03 0b ${'two.example'} 0000`,
          peers: [stranger('192.0.2.1:5000'), welcome('192.0.2.2:5000')],
          hears: hex`${listening} 05 00 00 01 c0000202 1388 ${'hello'}`,
          does: ['listen for 192.0.2.2']
        },
        {
          name: 'not for anybody; but who is denied may not come',
          says: hex`01 00000000 0000`,
          peers: [stranger('192.0.2.1:5000'), welcome('192.0.2.2:5000')],
          hears: hex`${listening} 05 00 00 01 c0000202 1388 ${'hello'}`,
          does: ['listen for anybody']
        }
      ].map(binding)
    )
  })

  describe('where it is not served', () => {
    const notServed = { name: 'by 7', says: hex`01 00000000 0000`, hears: refused(7) }
    conformance({ commands: ['connect'] }, [binding({ ...notServed, fails: 'ERR_SOCKS_COMMAND_NOT_SUPPORTED' })])
  })
})

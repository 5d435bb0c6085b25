import { usernamePassword, users } from '@it-socks/auth'
import { parseRule } from '@it-socks/rules'
import { hex } from '@it-socks/testing'
import { describe } from 'vitest'
import { conformance, wholeOrInBytes, type Case } from './table.ts'

const u255 = 'u'.repeat(255)
const d255 = 'd'.repeat(255)
const granted = hex`00 5a 04d2 c0000209`
const rejected = hex`00 5b 0000 00000000`
const userIdRefused = hex`00 5d 0000 00000000`

/** A request that is granted, with data behind it that comes back. */
const connecting = ({ says, ...rest }: Omit<Case, 'hears'>): Case => ({
  ...rest,
  says: hex`${says} ${'early data'}`,
  leaves: true,
  hears: hex`${granted} ${'early data'}`
})

const rejecting = (conversation: Omit<Case, 'hears'>): Case => ({ ...conversation, hears: rejected })

describe('SOCKS4: a client that says request and data at once has its data at the target', () => {
  conformance(
    {},
    [
      { name: 'with a user id', says: hex`04 01 0050 c0000201 ${'alice'} 00`, does: ['dial 192.0.2.1:80'] },
      { name: 'without a user id', says: hex`04 01 0050 c0000201 00`, does: ['dial 192.0.2.1:80'] },
      { name: 'with a user id of 255 bytes', says: hex`04 01 0050 c0000201 ${u255} 00`, does: ['dial 192.0.2.1:80'] },
      { name: '4a: a domain', says: hex`04 01 0050 00000001 00 ${'example.com'} 00`, does: ['dial example.com:80'] },
      {
        name: '4a: by any 0.0.0.x',
        says: hex`04 01 0050 000000ff 00 ${'example.com'} 00`,
        does: ['dial example.com:80']
      },
      {
        name: '4a: a domain, with a user id',
        says: hex`04 01 0050 00000001 ${'alice'} 00 ${'example.com'} 00`,
        does: ['dial example.com:80']
      },
      { name: '4a: a domain of one byte', says: hex`04 01 0050 00000001 00 ${'a'} 00`, does: ['dial a:80'] },
      {
        name: '4a: a user id and a domain of 255 bytes each',
        says: hex`04 01 0050 00000001 ${u255} 00 ${d255} 00`,
        does: [`dial ${d255}:80`]
      },
      {
        name: '4a: a domain that spells an IPv4 address',
        says: hex`04 01 0050 00000001 00 ${'192.0.2.1'} 00`,
        does: ['dial 192.0.2.1:80']
      },
      {
        name: '4a: a domain that spells an IPv6 address',
        says: hex`04 01 0050 00000001 00 ${'2001:db8::1'} 00`,
        does: ['dial [2001:db8::1]:80']
      }
    ].map(connecting)
  )
})

describe('SOCKS4: a request that is none is rejected', () => {
  conformance(
    {},
    [
      { name: 'CD 0', says: hex`04 00 0050 c0000201 00`, fails: 'ERR_SOCKS_COMMAND' },
      { name: 'CD 3: there is no UDP ASSOCIATE', says: hex`04 03 0050 c0000201 00`, fails: 'ERR_SOCKS_COMMAND' },
      {
        name: 'a user id of 256 bytes',
        says: hex`04 01 0050 c0000201 ${u255} ${'u'} 00`,
        fails: 'ERR_SOCKS_UNTERMINATED'
      },
      {
        name: 'a user id that does not end: as soon as it is too long',
        says: hex`04 01 0050 c0000201 ${u255} ${u255}`,
        fails: 'ERR_SOCKS_UNTERMINATED'
      },
      { name: 'a user id that is not UTF-8', says: hex`04 01 0050 c0000201 c328 00`, fails: 'ERR_SOCKS_TEXT' },
      { name: '4a: no domain', says: hex`04 01 0050 00000001 00 00`, fails: 'ERR_SOCKS_EMPTY_NAME' },
      {
        name: '4a: a domain of 256 bytes',
        says: hex`04 01 0050 00000001 00 ${d255} ${'d'} 00`,
        fails: 'ERR_SOCKS_UNTERMINATED'
      },
      {
        name: '4a: a domain that does not end: as soon as it is too long',
        says: hex`04 01 0050 00000001 00 ${d255} ${d255}`,
        fails: 'ERR_SOCKS_UNTERMINATED'
      },
      { name: '4a: a domain with a space', says: hex`04 01 0050 00000001 00 ${'a b'} 00`, fails: 'ERR_SOCKS_TEXT' },
      { name: '4a: a domain that is not UTF-8', says: hex`04 01 0050 00000001 00 c328 00`, fails: 'ERR_SOCKS_TEXT' }
    ].map(rejecting)
  )
})

describe('SOCKS4: a request that ends early is rejected', () => {
  const truncated = (whole: Uint8Array): Case[] =>
    Array.from({ length: whole.length - 1 }, (_, index) => ({
      name: `after ${index + 1} of ${whole.length} bytes`,
      says: whole.subarray(0, index + 1),
      leaves: true,
      hears: rejected,
      fails: 'ERR_SOCKS_TRUNCATED'
    }))

  describe('4', () => {
    conformance({}, truncated(hex`04 01 0050 c0000201 ${'alice'} 00`), wholeOrInBytes)
  })

  describe('4a', () => {
    conformance({}, truncated(hex`04 01 0050 00000001 ${'alice'} 00 ${'example.com'} 00`), wholeOrInBytes)
  })
})

describe('SOCKS4: whatever becomes of the target is one reply', () => {
  conformance(
    {},
    [
      { host: 'connection-refused', fails: 'ERR_SOCKS_CONNECTION_REFUSED' },
      { host: 'unresolvable', fails: 'ERR_SOCKS_UNRESOLVABLE' },
      { host: 'broken', fails: 'it broke' }
    ].map(({ host, fails }) => ({
      name: host,
      says: hex`04 01 0050 00000001 00 ${`${host}.example`} 00`,
      hears: rejected,
      does: [`dial ${host}.example:80`],
      fails
    }))
  )
})

describe('SOCKS4: BIND', () => {
  conformance({}, [
    {
      name: 'has two replies',
      says: hex`04 02 0015 c0000201 ${'alice'} 00 ${'early'}`,
      peers: [
        { from: '192.0.2.3:5000', says: hex``, hears: 'reset' },
        { from: '192.0.2.1:5000', says: hex`${'hello'}`, hears: hex`${'early'}` }
      ],
      hears: hex`${granted} 00 5a 1388 c0000201 ${'hello'}`,
      does: ['listen for 192.0.2.1']
    },
    {
      name: 'is rejected where the client leaves before anybody came',
      says: hex`04 02 0015 c0000201 00`,
      leaves: true,
      hears: hex`${granted} ${rejected}`,
      does: ['listen for 192.0.2.1'],
      fails: 'ERR_SOCKS_CLOSED'
    },
    {
      name: '4a: by a domain; a peer with an IPv6 address has no place in the reply',
      says: hex`04 02 0015 00000001 00 ${'six.example'} 00`,
      peers: [{ from: '[2001:db8::1]:5000', says: hex`${'hello'}`, hears: hex`` }],
      hears: hex`${granted} 00 5a 1388 00000000 ${'hello'}`,
      does: ['listen for 2001:db8::1']
    }
  ])
})

describe('SOCKS4 and who may', () => {
  const request = hex`04 01 0050 c0000201 ${'alice'} 00`

  describe('with authentication for SOCKS5', () => {
    const methods = [usernamePassword({ verify: users({ alice: 'open sesame' }) })]
    const nobody = { name: 'a user id proves nothing', says: request, hears: userIdRefused }
    conformance({ methods }, [{ ...nobody, fails: 'ERR_SOCKS_AUTHENTICATION' }])
  })

  describe('with user ids that are admitted', () => {
    conformance({ socks4: { admit: (userId) => userId === 'alice' } }, [
      { name: 'one of them', says: request, leaves: true, hears: granted, does: ['dial 192.0.2.1:80'] },
      {
        name: 'another',
        says: hex`04 01 0050 c0000201 ${'bob'} 00 ${'early data'}`,
        hears: userIdRefused,
        fails: 'ERR_SOCKS_AUTHENTICATION'
      },
      { name: 'none', says: hex`04 01 0050 c0000201 00`, hears: userIdRefused, fails: 'ERR_SOCKS_AUTHENTICATION' }
    ])
  })

  describe('by rules', () => {
    const denied = { name: 'a rule for the user id', says: request, hears: rejected, fails: 'ERR_SOCKS_RULE' }
    conformance({ rules: [parseRule('deny user alice')] }, [denied])
  })

  describe('where only SOCKS5 is spoken', () => {
    const unknown = { name: 'nothing is said', says: request, hears: hex``, fails: 'ERR_SOCKS_VERSION' }
    conformance({ socks4: false }, [unknown])
  })
})

import { client, hex, server } from '@it-socks/testing'
import { describe } from 'vitest'
import { binding, clientConformance, connecting, cutShort, truncated } from './client.ts'

const asked = [client`05 01 00`, server`05 00`, client`05 01 00 03 0b ${'example.com'} 0050`]
const ask = connecting('socks5h://proxy.example')

describe('our client and a method selection', () => {
  const greeted = [client`05 01 00`]
  clientConformance(ask, [
    { name: 'no method', script: [...greeted, server`05 ff`], comesTo: 'ERR_SOCKS_NO_ACCEPTABLE_METHOD not-allowed' },
    {
      name: 'one that was not offered',
      script: [...greeted, server`05 02`],
      comesTo: 'ERR_SOCKS_UNOFFERED_METHOD general-failure'
    },
    { name: 'in version 4', script: [...greeted, server`04 00`], comesTo: 'ERR_SOCKS_VERSION general-failure' },
    {
      name: 'in version 0, as SOCKS4 replies',
      script: [...greeted, server`00 5b`],
      comesTo: 'ERR_SOCKS_VERSION general-failure'
    },
    {
      name: 'HTTP',
      script: [...greeted, server`${'HTTP/1.1 400 Bad Request'}`],
      comesTo: 'ERR_SOCKS_VERSION general-failure'
    }
  ])

  describe('that ends early', () => {
    clientConformance(ask, truncated(greeted, hex`05 00`, cutShort))
  })
})

describe('our client and a user name and a password', () => {
  const login = connecting('socks5h://alice:open%20sesame@proxy.example')
  const given = [client`05 02 00 02`, server`05 02`, client`01 05 ${'alice'} 0b ${'open sesame'}`]
  const request = client`05 01 00 03 0b ${'example.com'} 0050`
  clientConformance(login, [
    {
      name: 'that are accepted',
      script: [...given, server`01 00`, request, server`05 00 00 01 c0000209 04d2 ${'220 welcome'}`],
      comesTo: '192.0.2.9:1234 220 welcome'
    },
    { name: 'that are refused', script: [...given, server`01 01`], comesTo: 'ERR_SOCKS_AUTHENTICATION not-allowed' },
    {
      name: 'that are refused by another status',
      script: [...given, server`01 f0`],
      comesTo: 'ERR_SOCKS_AUTHENTICATION not-allowed'
    },
    { name: 'answered in version 5', script: [...given, server`05 00`], comesTo: 'ERR_SOCKS_VERSION general-failure' }
  ])

  describe('answered by what ends early', () => {
    clientConformance(login, truncated(given, hex`01 00`, cutShort))
  })
})

describe('our client and the reply to its request', () => {
  clientConformance(ask, [
    { name: 'from IPv4', script: [...asked, server`05 00 00 01 c0000209 04d2 ${'hi'}`], comesTo: '192.0.2.9:1234 hi' },
    {
      name: 'from IPv6',
      script: [...asked, server`05 00 00 04 20010db8000000000000000000000009 04d2 ${'hi'}`],
      comesTo: '[2001:db8::9]:1234 hi'
    },
    {
      name: 'from a domain',
      script: [...asked, server`05 00 00 03 12 ${'gopher.example.com'} 0005 ${'hi'}`],
      comesTo: 'gopher.example.com:5 hi'
    },
    {
      name: 'refused, with a domain',
      script: [...asked, server`05 03 00 03 01 ${'a'} 0005`],
      comesTo: 'ERR_SOCKS_NETWORK_UNREACHABLE network-unreachable'
    },
    {
      name: 'refused, with an unknown ATYP',
      script: [...asked, server`05 03 00 17 ${'blah'}`],
      comesTo: 'ERR_SOCKS_NETWORK_UNREACHABLE network-unreachable'
    },
    {
      name: 'granted, with an unknown ATYP',
      script: [...asked, server`05 00 00 17 ${'blah'}`],
      comesTo: 'ERR_SOCKS_ADDRESS_TYPE address-type-not-supported'
    },
    {
      name: 'granted, with an RSV that is not 0',
      script: [...asked, server`05 00 01 01 c0000209 04d2`],
      comesTo: 'ERR_SOCKS_RESERVED general-failure'
    },
    {
      name: 'granted, with a domain of no bytes',
      script: [...asked, server`05 00 00 03 00 0005`],
      comesTo: 'ERR_SOCKS_EMPTY_NAME general-failure'
    },
    {
      name: 'refused by a reply of Tor’s',
      script: [...asked, server`05 f4 00 01 00000000 0000`],
      comesTo: 'ERR_SOCKS_ONION_CLIENT_AUTHORIZATION_MISSING onion-client-authorization-missing'
    },
    {
      name: 'refused by a reply that is unassigned',
      script: [...asked, server`05 99 00 01 00000000 0000`],
      comesTo: 'ERR_SOCKS_UNASSIGNED_REPLY general-failure'
    },
    {
      name: 'in version 4',
      script: [...asked, server`04 00 00 01 c0000209 04d2`],
      comesTo: 'ERR_SOCKS_VERSION general-failure'
    }
  ])

  describe('granted, that ends early, from IPv4', () => {
    clientConformance(ask, truncated(asked, hex`05 00 00 01 c0000209 04d2`, cutShort))
  })

  describe('granted, that ends early, from a domain', () => {
    clientConformance(ask, truncated(asked, hex`05 00 00 03 0b ${'example.com'} 04d2`, cutShort))
  })

  describe('refused, that ends early: REP is what counts', () => {
    const refused = 'ERR_SOCKS_CONNECTION_REFUSED connection-refused'
    clientConformance(
      ask,
      truncated(asked, hex`05 05 00 01 00000000 0000`, (length) => (length < 2 ? cutShort(length) : refused))
    )
  })
})

describe('our client and the second reply to a BIND', () => {
  const listen = binding('socks5h://proxy.example')
  const listening = [
    client`05 01 00`,
    server`05 00`,
    client`05 02 00 01 c0000201 0014`,
    server`05 00 00 01 c0000209 04d2`
  ]
  clientConformance(listen, [
    {
      name: 'who came',
      script: [...listening, server`05 00 00 01 c0000201 1388 ${'hi'}`],
      comesTo: '192.0.2.1:5000 hi'
    },
    {
      name: 'nobody came',
      script: [...listening, server`05 06 00 01 00000000 0000`],
      comesTo: 'ERR_SOCKS_TTL_EXPIRED ttl-expired'
    },
    {
      name: 'the wrong one came',
      script: [...listening, server`05 02 00 01 00000000 0000`],
      comesTo: 'ERR_SOCKS_NOT_ALLOWED not-allowed'
    }
  ])
  clientConformance(listen, [
    {
      name: 'the first one is a no',
      script: [...listening.slice(0, 3), server`05 07 00 01 00000000 0000`],
      comesTo: 'ERR_SOCKS_COMMAND_NOT_SUPPORTED command-not-supported'
    }
  ])

  describe('that ends early', () => {
    clientConformance(listen, truncated(listening, hex`05 00 00 01 c0000201 1388`, cutShort))
  })
})

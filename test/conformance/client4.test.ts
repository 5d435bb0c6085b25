import { client, hex, server } from '@it-socks/testing'
import { describe } from 'vitest'
import { binding, clientConformance, closed, connecting, cutShort, truncated } from './client.ts'

describe('our client and a SOCKS4 reply', () => {
  const ask4 = connecting('socks4a://alice@proxy.example')
  const asked4 = [client`04 01 0050 00000001 ${'alice'} 00 ${'example.com'} 00`]
  clientConformance(ask4, [
    { name: 'granted', script: [...asked4, server`00 5a 04d2 c0000209 ${'hi'}`], comesTo: '192.0.2.9:1234 hi' },
    {
      name: 'granted, with VN 4',
      script: [...asked4, server`04 5a 04d2 c0000209 ${'hi'}`],
      comesTo: '192.0.2.9:1234 hi'
    },
    {
      name: 'rejected',
      script: [...asked4, server`00 5b 0000 00000000`],
      comesTo: 'ERR_SOCKS_GENERAL_FAILURE general-failure'
    },
    {
      name: 'rejected, with VN 4',
      script: [...asked4, server`04 5b 2025 01020304`],
      comesTo: 'ERR_SOCKS_GENERAL_FAILURE general-failure'
    },
    {
      name: 'rejected for want of an identd',
      script: [...asked4, server`00 5c 0000 00000000`],
      comesTo: 'ERR_SOCKS_AUTHENTICATION not-allowed'
    },
    {
      name: 'rejected for the user id',
      script: [...asked4, server`00 5d 0000 00000000`],
      comesTo: 'ERR_SOCKS_AUTHENTICATION not-allowed'
    },
    {
      name: 'of an unassigned CD',
      script: [...asked4, server`00 5e 0000 00000000`],
      comesTo: 'ERR_SOCKS_UNASSIGNED_REPLY general-failure'
    },
    {
      name: 'in version 5: a proxy that speaks that alone',
      script: [...asked4, server`05 ff`],
      comesTo: 'ERR_SOCKS_VERSION general-failure'
    }
  ])

  describe('granted, that ends early', () => {
    clientConformance(ask4, truncated(asked4, hex`00 5a 04d2 c0000209`, cutShort))
  })

  describe('rejected, that ends early: CD is what counts', () => {
    const rejected = 'ERR_SOCKS_GENERAL_FAILURE general-failure'
    clientConformance(
      ask4,
      truncated(asked4, hex`00 5b 0000 00000000`, (length) => (length < 2 ? cutShort(length) : rejected))
    )
  })

  describe('to a BIND', () => {
    const listening4 = [client`04 02 0014 c0000201 ${'alice'} 00`, server`00 5a 04d2 c0000209`]
    clientConformance(binding('socks4a://alice@proxy.example'), [
      { name: 'who came', script: [...listening4, server`00 5a 1388 c0000201 ${'hi'}`], comesTo: '192.0.2.1:5000 hi' },
      {
        name: 'nobody came',
        script: [...listening4, server`00 5b 0000 00000000`],
        comesTo: 'ERR_SOCKS_GENERAL_FAILURE general-failure'
      },
      { name: 'none, for the proxy hangs up', script: listening4, comesTo: closed }
    ])
  })
})

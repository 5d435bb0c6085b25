import { expect, it } from 'vitest'
import { associate, bind, connect, resolveThrough } from '@it-socks/client'
import type { ByteDuplex } from '@it-socks/stage'
import { client, memoryDatagrams, play, server } from '@it-socks/testing'

const greeted = [client`05 01 00`, server`05 00`]
const proxy = 'socks5h://192.0.2.2'

/** What is left on a duplex, after which it is closed from this side, too. */
const restOf = async (duplex: ByteDuplex): Promise<string> => {
  let text = ''
  for await (const bytes of duplex.source) text += new TextDecoder().decode(bytes.subarray())
  await duplex.sink((async function* () {})())
  return text
}

it('connect comes to the same however the proxy’s bytes are cut', async () => {
  const asked = client`05 01 00 03 0b ${'example.com'} 0050`
  const text = await play({
    script: [...greeted, asked, server`05 00 00 01 c6336401 1f90`, server`${'220 ready'}`],
    testing: 'client',
    run: async (duplex) => restOf(await connect({ proxy, destination: 'example.com:80', dial: async () => duplex }))
  })
  expect(text).toBe('220 ready')
})

it.each([
  {
    version: 5,
    url: proxy,
    script: [
      ...greeted,
      client`05 02 00 01 c0000209 0014`,
      server`05 00 00 01 00000000 1f90`,
      server`05 00 00 01 c0000209 c350`
    ]
  },
  {
    version: 4,
    url: 'socks4a://192.0.2.2',
    script: [client`04 02 0014 c0000209 00`, server`00 5a 1f90 00000000`, server`00 5a c350 c0000209`]
  }
])('bind comes to the same however the bytes of a SOCKS$version proxy are cut', async ({ url, script }) => {
  const outcome = await play({
    script: [...script, server`${'220 ready'}`],
    testing: 'client',
    run: async (duplex) => {
      const listening = await bind({ proxy: url, peer: '192.0.2.9:20', dial: async () => duplex })
      const tunnel = await listening.accept()
      return { address: listening.address, peer: tunnel.remoteAddress, text: await restOf(tunnel) }
    }
  })
  expect(outcome).toEqual({
    address: { host: '192.0.2.2', port: 8080 },
    peer: { host: '192.0.2.9', port: 50_000 },
    text: '220 ready'
  })
})

it('resolving comes to the same however the proxy’s bytes are cut', async () => {
  const found = await play({
    script: [...greeted, client`05 f0 00 03 0b ${'example.com'} 0000`, server`05 00 00 01 c0000209 0000`],
    testing: 'client',
    run: (duplex) => resolveThrough({ proxy, dial: async () => duplex })('example.com')
  })
  expect(found).toEqual(['192.0.2.9'])
})

it('an association comes to the same however the proxy’s bytes are cut, and ends with them', async () => {
  const outcome = await play({
    script: [...greeted, client`05 03 00 01 00000000 0000`, server`05 00 00 01 00000000 1770`],
    testing: 'client',
    run: async (duplex) => {
      const { binder, open } = memoryDatagrams()
      const association = await associate({ proxy, binder, dial: async () => duplex })
      const error: unknown = await association.source[Symbol.asyncIterator]()
        .next()
        .catch((error: unknown) => error)
      return { relay: association.relay, ending: String(error), open: open() }
    }
  })
  expect(outcome).toEqual({
    relay: { host: '192.0.2.2', port: 6000 },
    ending: 'ProxyClosedError: the proxy ended the association',
    open: []
  })
})

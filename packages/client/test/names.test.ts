import { describe, expect, it } from 'vitest'
import { RefusedError, UnresolvableError, type Address } from '@it-socks/protocol'
import { connect, type Proxy } from '@it-socks/client'
import { createServer } from '@it-socks/server'
import type { Resolve } from '@it-socks/stage'
import { client, server, type Line } from '@it-socks/testing'
import { scriptedProxy } from './scripted-proxy.ts'

const asking = (line: Line): Line[] => [client`05 01 00`, server`05 00`, line, server`05 00 00 01 00000000 0000`]

/** Connects to `destination` through a proxy that insists on `line` for the request; comes to the tunnel’s remote address. */
const ask = async (line: Line, destination: string, names?: Proxy['names']): Promise<Address | undefined> => {
  const { host, port, played } = await scriptedProxy(asking(line))
  const tunnel = await connect({ proxy: { host, port, ...(names && { names }) }, destination })
  await played
  tunnel.abort?.(new Error('done'))
  return tunnel.remoteAddress
}

describe('names that the proxy resolves', () => {
  it('travel as they are: ATYP 3', async () => {
    expect(await ask(client`05 01 00 03 0b ${'example.com'} 0050`, 'example.com:80', 'remote')).toBeDefined()
  })

  it('are the default of a proxy object', async () => {
    expect(await ask(client`05 01 00 03 0b ${'example.com'} 0050`, 'example.com:80')).toBeDefined()
  })

  it('are no addresses: those travel as addresses', async () => {
    expect(await ask(client`05 01 00 01 c0000209 0050`, '192.0.2.9:80', 'remote')).toBeDefined()
    expect(
      await ask(client`05 01 00 04 20010db8000000000000000000000009 0050`, '[2001:db8::9]:80', 'remote')
    ).toBeDefined()
  })
})

describe('names that are resolved here', () => {
  const table =
    (...addresses: string[]): Resolve =>
    async () =>
      addresses

  it('travel as an address: ATYP 1 or 4, the first that was found', async () => {
    const v4 = client`05 01 00 01 c0000209 0050`
    const v6 = client`05 01 00 04 20010db8000000000000000000000009 0050`
    expect(await ask(v4, 'example.com:80', table('192.0.2.9', '2001:db8::9'))).toBeDefined()
    expect(await ask(v6, 'example.com:80', table('2001:db8::9', '192.0.2.9'))).toBeDefined()
  })

  it('remain the tunnel’s remote address', async () => {
    const remote = await ask(client`05 01 00 01 c0000209 0050`, 'example.com:80', table('192.0.2.9'))
    expect(remote).toEqual({ host: 'example.com', port: 80 })
  })

  it('are resolved with a signal, before the proxy is dialled', async () => {
    const proxy = await scriptedProxy([])
    const { host, port } = proxy
    const names: Resolve = async (name, { signal } = {}) => {
      expect(signal).toBeInstanceOf(AbortSignal)
      throw new UnresolvableError(name)
    }
    await expect(connect({ proxy: { host, port, names }, destination: 'nowhere.example:80' })).rejects.toMatchObject({
      name: 'UnresolvableError',
      message: 'nowhere.example cannot be resolved'
    })
    expect(proxy.clients()).toBe(0)
  })

  it.each([
    { scheme: 'socks5', received: /^(?:127\.0\.0\.1|::1)$/ },
    { scheme: 'socks5h', received: /^localhost$/ }
  ])('is what the scheme $scheme decides', async ({ scheme, received }) => {
    const asked: string[] = []
    const refusing = createServer({
      listen: { host: '127.0.0.1', port: 0 },
      dial: async ({ host }) => {
        asked.push(host)
        throw new RefusedError('not-allowed')
      }
    })
    const [endpoint] = await refusing.listen()
    const port = endpoint !== undefined && 'port' in endpoint ? endpoint.port : 0
    const refused = connect({ proxy: `${scheme}://127.0.0.1:${port}`, destination: 'localhost:80' })
    await expect(refused).rejects.toMatchObject({ reply: 'not-allowed' })
    await refusing.close()
    expect(asked).toEqual([expect.stringMatching(received)])
  })

  it('do not fall back on the proxy where they have no address', async () => {
    for (const names of [table(), table('still.a.name')]) {
      const { host, port, clients } = await scriptedProxy([])
      const connecting = connect({ proxy: { host, port, names }, destination: 'example.com:80' })
      await expect(connecting).rejects.toThrow(UnresolvableError)
      expect(clients()).toBe(0)
    }
  })
})

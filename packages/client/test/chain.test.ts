import { once } from 'node:events'
import { createServer as createTarget, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { usernamePassword, users } from '@it-socks/auth'
import { connect, dialThrough } from '@it-socks/client'
import { createServer, type Server, type ServerOptions } from '@it-socks/server'
import { hex } from '@it-socks/testing'

/** A target that shouts back. */
const shoutingTarget = async (): Promise<AddressInfo> => {
  const target = createTarget({ allowHalfOpen: true }, (socket) => {
    socket.setEncoding('utf8').on('data', (text: string) => socket.write(text.toUpperCase()))
    socket.on('end', () => socket.end())
  })
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  onTestFinished(() => void target.close())
  return target.address() as AddressInfo
}

const proxy = async (options: ServerOptions = {}): Promise<{ server: Server; port: number }> => {
  const server = createServer({ listen: { host: '127.0.0.1', port: 0 }, ...options })
  onTestFinished(() => server.close())
  const [endpoint] = await server.listen()
  return { server, port: endpoint !== undefined && 'port' in endpoint ? endpoint.port : 0 }
}

const exchange = async (tunnel: Awaited<ReturnType<typeof connect>>, text: string): Promise<string> => {
  const said = tunnel.sink(
    (async function* () {
      yield hex`${text}`
    })()
  )
  let heard = ''
  for await (const bytes of tunnel.source) heard += new TextDecoder().decode(bytes.subarray())
  await said
  return heard
}

describe('dialThrough', () => {
  it('gives a server its way out through another', async () => {
    const target = await shoutingTarget()
    const methods = [usernamePassword({ verify: users({ alice: 'open sesame' }) })]
    const outer = await proxy({ methods })
    const through = dialThrough({ proxy: `socks5h://alice:open%20sesame@127.0.0.1:${outer.port}` })
    const inner = await proxy({ dial: through })

    const asked = once(outer.server, 'requested')
    const tunnel = await connect({
      proxy: `socks5h://127.0.0.1:${inner.port}`,
      destination: { host: '127.0.0.1', port: target.port }
    })
    expect(await asked).toMatchObject([
      { identity: { username: 'alice' }, request: { destination: { host: '127.0.0.1', port: target.port } } }
    ])
    expect(await exchange(tunnel, 'through two')).toBe('THROUGH TWO')
  })

  it('gives a client its way to a proxy behind another', async () => {
    const target = await shoutingTarget()
    const [near, far] = [await proxy(), await proxy()]
    const tunnel = await connect({
      proxy: `socks5h://127.0.0.1:${far.port}`,
      destination: { host: '127.0.0.1', port: target.port },
      dial: dialThrough({ proxy: `socks5h://127.0.0.1:${near.port}` })
    })
    expect(await exchange(tunnel, 'through two')).toBe('THROUGH TWO')
  })

  it('hears when a server gives up: nothing stays open to the other proxy', async () => {
    const silent = createTarget().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as AddressInfo
    const arrived = once(silent, 'connection')
    const inner = await proxy({ dial: dialThrough({ proxy: `socks5h://127.0.0.1:${port}` }), connectTimeout: 50 })
    const failure = connect({ proxy: `socks5h://127.0.0.1:${inner.port}`, destination: 'example.com:80' })
    await expect(failure).rejects.toMatchObject({ reply: 'ttl-expired' })
    const [socket] = (await arrived) as [Socket]
    socket.resume().on('error', () => {})
    if (!socket.destroyed) await once(socket, 'close')
  })

  it('passes the other proxy’s refusal on, by its name', async () => {
    const closed = createTarget().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    const outer = await proxy()
    const inner = await proxy({ dial: dialThrough({ proxy: `socks5h://127.0.0.1:${outer.port}` }) })
    const refused = connect({
      proxy: `socks5h://127.0.0.1:${inner.port}`,
      destination: { host: '127.0.0.1', port }
    })
    await expect(refused).rejects.toMatchObject({ name: 'RefusedError', reply: 'connection-refused' })
  })

  it('tells a server’s client of the other proxy’s absence as of a general failure, and the server of its cause', async () => {
    const { server, port } = await proxy()
    await server.close()
    const inner = await proxy({ dial: dialThrough({ proxy: `socks5h://127.0.0.1:${port}` }) })
    const closed = once(inner.server, 'closed')
    const refused = connect({ proxy: `socks5h://127.0.0.1:${inner.port}`, destination: 'example.com:80' })
    await expect(refused).rejects.toMatchObject({ name: 'RefusedError', reply: 'general-failure' })
    expect(await closed).toMatchObject([{}, { name: 'ProxyUnreachableError' }])
  })
})

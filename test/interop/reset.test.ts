import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startServer } from '../support/proxies.ts'
import { startTarget } from '../support/target.ts'
import { open } from '../support/tunnel.ts'
import { connectRequest } from '../support/wire.ts'

const reset = { code: 'ECONNRESET' }

describe('a reset travels through our server', () => {
  it('from the target to the client', async () => {
    const [{ server, proxy }, target] = await Promise.all([startServer(), startTarget()])
    const tunnel = await open({ proxy: `socks5://${proxy}`, destination: target.address })
    const far = await target.accept()
    const closed = once(server, 'closed')
    far.resetAndDestroy()
    await expect(tunnel.source[Symbol.asyncIterator]().next()).rejects.toMatchObject(reset)
    const [, cause] = await closed
    expect(cause).toMatchObject(reset)
  })

  it('from the client to the target', async () => {
    const [{ server, proxy }, target] = await Promise.all([startServer(), startTarget()])
    const tunnel = await open({ proxy: `socks5://${proxy}`, destination: target.address })
    const far = await target.accept()
    const closed = once(server, 'closed')
    const broken = once(far, 'error')
    tunnel.abort?.(new Error('had enough'))
    expect(await broken).toMatchObject([reset])
    const [, cause] = await closed
    expect(cause).toMatchObject(reset)
  })

  it('also after a half-close, while the answer is on its way', async () => {
    const [{ proxy }, target] = await Promise.all([startServer(), startTarget()])
    const client = connect({ port: Number(proxy.split(':')[1]), host: '127.0.0.1', allowHalfOpen: true })
    const broken = once(client, 'error')
    client.end(connectRequest(target.port))
    const far = await target.accept()
    await once(far.resume(), 'end')
    far.resetAndDestroy()
    client.resume()
    expect(await broken).toMatchObject([reset])
  })
})

describe('our server, closing', () => {
  it('resets both sides of a session', async () => {
    const [{ server, proxy }, target] = await Promise.all([startServer(), startTarget()])
    const tunnel = await open({ proxy: `socks5://${proxy}`, destination: target.address })
    const broken = once(await target.accept(), 'error')
    const ended = tunnel.source[Symbol.asyncIterator]().next()
    await Promise.all([server.close(), expect(ended).rejects.toMatchObject(reset)])
    expect(await broken).toMatchObject([reset])
  })
})

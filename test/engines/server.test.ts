import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { pattern } from '../support/duplex.ts'
import { descriptors } from '../support/process.ts'
import { hear, over } from '../support/sockets.ts'
import { ways } from './engines.ts'
import { megabyte, next } from './setup.ts'
import { serve } from './served.ts'

const reset = [{ code: 'ECONNRESET' }]

describe.each(ways.filter(({ name }) => name !== 'iterators'))('a server by $name', (way) => {
  it('serves: messages, bulk, a half-close, and counts', async () => {
    const { relay } = await serve(way)
    const { client, target, session } = await relay()
    client.write('hello')
    expect(await next(target)).toBe('hello')
    const said = pattern(8 * megabyte)
    const heard = hear(client)
    target.end(said)
    expect((await heard).equals(said)).toBe(true)
    client.end()
    await session.closed
    expect(session.traffic).toEqual({ up: 5, down: said.length })
  })

  it('passes on what a client says before it has its answer', async () => {
    const { relay } = await serve(way)
    const { client, target, session } = await relay()
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end('early')
    target.end('banner')
    expect([(await atTarget).toString(), (await atClient).toString()]).toEqual(['early', 'banner'])
    await session.closed
  })

  it('ends one session by its close(), and no other', async () => {
    const { relay } = await serve(way)
    const [one, other] = [await relay(), await relay()]
    const broken = Promise.all([once(one.client.resume(), 'error'), once(one.target.resume(), 'error')])
    one.session.close(new Error('out'))
    expect(await broken).toMatchObject([reset, reset])
    await one.session.closed
    other.client.write('still there?')
    expect(await next(other.target)).toBe('still there?')
  })

  it('shows what a session has relayed while it runs', async () => {
    const { relay } = await serve(way)
    const { client, target, session } = await relay()
    client.write('hello')
    expect(await next(target)).toBe('hello')
    expect(session.traffic).toEqual({ up: 5, down: 0 })
  })

  it('lets sessions end by themselves when it closes, and takes no more', async () => {
    const { server, relay } = await serve(way)
    const { client, target, session } = await relay()
    const closing = server.close({ drain: 60_000 })
    const said = pattern(4 * megabyte)
    const heard = hear(target)
    client.end(said)
    expect((await heard).equals(said)).toBe(true)
    client.resume()
    target.end()
    await closing
    await session.closed
    expect(session.traffic.up).toBe(said.length)
  })

  it('resets the sessions that are left when its time is over', async () => {
    const { server, relay } = await serve(way)
    const { client, target } = await relay()
    const broken = Promise.all([once(client.resume(), 'error'), once(target.resume(), 'error')])
    await server.close({ drain: 0 })
    expect(await broken).toMatchObject([reset, reset])
  })

  it('resets a session that is idle for too long', async () => {
    const { server, relay } = await serve(way, { idleTimeout: 20 })
    const { client, target, session } = await relay()
    const closed = once(server, 'closed')
    await Promise.all([over(client), over(target)])
    expect(await closed).toMatchObject([session, { code: 'ERR_SOCKS_IDLE' }])
  })

  it('leaves no descriptor behind', async () => {
    const before = await descriptors()
    const { server, relay } = await serve(way)
    const relays = await Promise.all([relay(), relay(), relay()])
    await server.close({ drain: 0 })
    for (const { client, target } of relays) {
      client.destroy()
      target.destroy()
    }
    // The target's listener.
    expect(await descriptors()).toBe(before + 1)
  })
})

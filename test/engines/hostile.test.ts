import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Dial } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { pattern } from '../support/duplex.ts'
import { descriptors, standstill } from '../support/process.ts'
import { over } from '../support/sockets.ts'
import { connectRequest } from '../support/wire.ts'
import { ways } from './engines.ts'
import { open, serve } from './served.ts'
import { megabyte, next } from './setup.ts'

describe.each(ways.filter(({ name }) => name !== 'iterators'))('a server by $name is not impressed', (way) => {
  it.each([
    ['nothing', hex``],
    ['half a greeting', hex`05`],
    ['a greeting', hex`05 01 00`],
    ['no greeting', hex`${'GET / HTTP/1.1\r\n\r\n'}`]
  ])('by clients who reset as soon as they have said %s', async (_, said) => {
    const { server, port, relay } = await serve(way)
    const before = await descriptors()
    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all(Array.from({ length: 20 }, () => open(port)))
      for (const client of clients) client.write(said)
      if (round % 2 === 1) await turn()
      for (const client of clients) client.resetAndDestroy()
    }
    await standstill(() => server.sessions.size)
    expect([server.sessions.size, await descriptors()]).toEqual([0, before])
    const { client, target } = await relay()
    client.write('hello')
    expect(await next(target)).toBe('hello')
  })

  it('by one who speaks while its target is dialled, and resets: nobody dials on', async () => {
    const dial: Dial = (_, options) =>
      new Promise((_, reject) => {
        const signal = options!.signal!
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    const { server, port } = await serve(way, { dial })
    const [requested, closed] = [once(server, 'requested'), once(server, 'closed')]
    const client = await open(port)
    client.write(connectRequest(9))
    await requested
    client.write('early')
    await turn()
    await turn()
    client.resetAndDestroy()
    const [, cause] = (await closed) as unknown[]
    expect(cause).toMatchObject({ code: 'ECONNRESET' })
  })

  it('by many who say nothing: all are let go when their time is over', async () => {
    const { server, port } = await serve(way, { handshakeTimeout: 50 })
    const clients = await Promise.all(Array.from({ length: 200 }, () => open(port)))
    await Promise.all(clients.map(over))
    for (const client of clients) client.destroy()
    expect(await standstill(() => server.sessions.size)).toBe(0)
  })

  it('by many who do not read what they asked for, and leave', async () => {
    const { server, relay } = await serve(way)
    const before = await descriptors()
    const relays = [await relay()]
    while (relays.length < 20) relays.push(await relay())
    for (const { client, target } of relays) {
      client.pause()
      target.end(pattern(2 * megabyte))
    }
    await standstill(() => relays.reduce((sum, { session }) => sum + session.traffic.down, 0))
    for (const { client, target } of relays) {
      client.resetAndDestroy()
      target.resume()
    }
    await Promise.all(relays.map(({ target }) => over(target)))
    for (const { target } of relays) target.destroy()
    await Promise.all(relays.map(({ session }) => session.closed.catch(() => {})))
    expect([server.sessions.size, await descriptors()]).toEqual([0, before])
  })
})

import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { pattern } from '../support/duplex.ts'
import { hear, socketPath } from '../support/sockets.ts'
import { ways } from './engines.ts'
import { counted, each, megabyte, next, relay, sides } from './setup.ts'

describe.each(ways)('a relay by $name', (way) => {
  it('takes bytes both ways, and counts them', async () => {
    const { client, target, outcome } = await relay(way)
    client.write('hello')
    expect(await next(target)).toBe('hello')
    target.write('good day')
    expect(await next(client)).toBe('good day')
    client.resume().end()
    target.resume().end()
    expect(await outcome).toEqual({ up: 5, down: 8 })
  })

  it.each(sides)('takes what the %s says a byte at a time', async (side) => {
    const all = await relay(way)
    const [from, to] = each(side, all)
    const said = pattern(2000)
    const heard = hear(to)
    for (const byte of said) {
      from.write(Uint8Array.of(byte))
      await turn()
    }
    from.resume().end()
    expect((await heard).equals(said)).toBe(true)
    to.end()
    expect(await all.outcome).toEqual(counted(side, said.length))
  })

  it.each(sides)('takes megabytes of the %s, and nothing of them is another byte', async (side) => {
    const all = await relay(way)
    const [from, to] = each(side, all)
    const said = pattern(24 * megabyte + 7)
    const heard = hear(to)
    from.resume().end(said)
    expect((await heard).equals(said)).toBe(true)
    to.end()
    expect(await all.outcome).toEqual(counted(side, said.length))
  })

  it('takes megabytes both ways at a time', async () => {
    const { client, target, outcome } = await relay(way)
    const said = pattern(12 * megabyte)
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end(said)
    target.end(said)
    expect((await atTarget).equals(said)).toBe(true)
    expect((await atClient).equals(said)).toBe(true)
    expect(await outcome).toEqual({ up: said.length, down: said.length })
  })

  it('takes messages, then bulk, then messages again', async () => {
    const { client, target, outcome } = await relay(way)
    const bulk = pattern(8 * megabyte)
    const small = pattern(100)
    const heard = hear(target)
    for (const byte of small) {
      client.write(Uint8Array.of(byte))
      await turn()
    }
    if (!client.write(bulk)) await once(client, 'drain')
    for (const byte of small) {
      client.write(Uint8Array.of(byte))
      await turn()
    }
    client.resume().end()
    expect((await heard).equals(Buffer.concat([small, bulk, small]))).toBe(true)
    target.end()
    expect(await outcome).toEqual({ up: bulk.length + 200, down: 0 })
  })

  it('takes many at a time, each its own', async () => {
    const relays = await Promise.all(Array.from({ length: 20 }, () => relay(way)))
    await Promise.all(
      relays.map(async ({ client, target, outcome }, index) => {
        const said = pattern(300_000 + index)
        const [atTarget, atClient] = [hear(target), hear(client)]
        client.end(said)
        target.end(`number ${index}`)
        expect((await atTarget).equals(said)).toBe(true)
        expect((await atClient).toString()).toBe(`number ${index}`)
        expect(await outcome).toMatchObject({ up: said.length })
      })
    )
  })

  it('takes what a client on a unix socket says', async () => {
    const { client, target, outcome } = await relay(way, {}, await socketPath())
    const said = pattern(8 * megabyte)
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end(said)
    target.end(said)
    expect((await atTarget).equals(said)).toBe(true)
    expect((await atClient).equals(said)).toBe(true)
    expect(await outcome).toEqual({ up: said.length, down: said.length })
  })
})

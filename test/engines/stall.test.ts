import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { pattern } from '../support/duplex.ts'
import { standstill } from '../support/process.ts'
import { hear } from '../support/sockets.ts'
import { ways } from './engines.ts'
import { each, filling, measure, megabyte, next, relay, sides, writeUntilFull } from './setup.ts'

describe.each(ways)('a reader that stalls behind a relay by $name', (way) => {
  it.each(sides)('stops its writer, be it the %s that does not read; and nothing is lost', async (side) => {
    const all = await relay(way)
    const [reader, writer] = each(side, all)
    reader.pause()
    const written = await writeUntilFull(writer, all)
    // What the kernel holds for two connections, and what the relay may.
    expect(written).toBeLessThan(128 * megabyte)
    const heard = hear(reader)
    writer.resume().end()
    expect((await heard).equals(Buffer.alloc(written, filling))).toBe(true)
    reader.end()
    expect(await all.outcome).toMatchObject({ up: all.traffic.up, down: all.traffic.down })
    expect(all.traffic.up + all.traffic.down).toBe(written)
  })

  it('does not stop the other direction', async () => {
    const all = await relay(way)
    const { client, target } = all
    client.pause()
    await writeUntilFull(target, all)
    client.write('ping')
    expect(await next(target)).toBe('ping')
    const heard = measure(client)
    target.resume().end()
    client.end()
    await heard
    await all.outcome
  })

  it('does not deadlock with another, both full', async () => {
    const { client, target, outcome, traffic } = await relay(way)
    const said = pattern(24 * megabyte)
    client.pause().end(said)
    target.pause().end(said)
    await standstill(() => traffic.up + traffic.down)
    const [atTarget, atClient] = await Promise.all([hear(target), hear(client)])
    expect(atTarget.equals(said)).toBe(true)
    expect(atClient.equals(said)).toBe(true)
    expect(await outcome).toEqual({ up: said.length, down: said.length })
  })

  it('does not stop other relays', async () => {
    const [stalled, other] = [await relay(way), await relay(way)]
    stalled.client.pause()
    await writeUntilFull(stalled.target, stalled)
    other.client.write('ping')
    expect(await next(other.target)).toBe('ping')
    const ended = once(other.target.resume(), 'end')
    other.client.end()
    await ended
  })
})

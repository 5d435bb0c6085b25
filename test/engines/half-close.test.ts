import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { pattern } from '../support/duplex.ts'
import { hear, socketPath } from '../support/sockets.ts'
import { ways } from './engines.ts'
import { counted, each, megabyte, relay, sides } from './setup.ts'

const other = { client: 'target', target: 'client' } as const

describe.each(ways)('a half-close through a relay by $name', (way) => {
  it.each(sides)('by the %s leaves the other direction open for long', async (side) => {
    const all = await relay(way)
    const [first, second] = each(side, all)
    const closing = once(second, 'end')
    second.resume()
    first.end()
    await closing
    const heard = hear(first)
    const lines = Array.from({ length: 100 }, (_, line) => `${line}\n`)
    for (const line of lines) {
      second.write(line)
      await turn()
    }
    const bulk = pattern(8 * megabyte)
    second.end(bulk)
    const said = Buffer.concat([Buffer.from(lines.join('')), bulk])
    expect((await heard).equals(said)).toBe(true)
    expect(await all.outcome).toEqual(counted(other[side], said.length))
  })

  it.each(sides)('by the %s comes with its last bytes, and neither is lost', async (side) => {
    for (let round = 0; round < 20; round++) {
      const all = await relay(way)
      const [first, second] = each(side, all)
      const heard = hear(second)
      first.resume().end('the last')
      expect((await heard).toString()).toBe('the last')
      second.end()
      expect(await all.outcome).toEqual(counted(side, 8))
    }
  })

  it('of a unix socket travels on, too', async () => {
    const { client, target, outcome } = await relay(way, {}, await socketPath())
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end('question')
    expect((await atTarget).toString()).toBe('question')
    target.end('answer')
    expect((await atClient).toString()).toBe('answer')
    expect(await outcome).toEqual({ up: 8, down: 6 })
  })

  it('by both at once is the end of it', async () => {
    const { client, target, outcome } = await relay(way)
    client.resume().end()
    target.resume().end()
    expect(await outcome).toEqual({ up: 0, down: 0 })
  })
})

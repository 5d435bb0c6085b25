import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { over } from '../support/sockets.ts'
import { ways } from './engines.ts'
import { counted, each, relay, sides, writeUntilBroken, writeUntilFull } from './setup.ts'

const broken = { code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) as string }

describe.each(ways)('a reset through a relay by $name', (way) => {
  it.each(sides)('by the %s resets the other side', async (side) => {
    const all = await relay(way)
    const [first, second] = each(side, all)
    const error = once(second.resume(), 'error')
    first.resetAndDestroy()
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }])
    expect(await all.outcome).toMatchObject({ code: 'ECONNRESET' })
  })

  it.each(sides)('by the %s after its end is seen when there is something to write', async (side) => {
    const all = await relay(way)
    const [first, second] = each(side, all)
    const ended = once(second.resume(), 'end')
    first.end()
    await ended
    first.resetAndDestroy()
    await writeUntilBroken(second)
    expect(await all.outcome).toMatchObject(broken)
  })

  it.each(sides)('by the %s while it is not read is seen when there is something to write', async (side) => {
    const all = await relay(way)
    const [first, second] = each(side, all)
    second.pause()
    await writeUntilFull(first, all)
    first.resetAndDestroy()
    second.write('are you there?', () => {})
    await Promise.race([all.outcome, writeUntilBroken(second)])
    expect(await all.outcome).toMatchObject(broken)
    await over(second)
  })

  it.runIf(way.seesResets).each(sides)('by the %s after its end is seen at once', async (side) => {
    const all = await relay(way)
    const [first, second] = each(side, all)
    const ended = once(second.resume(), 'end')
    first.end()
    await ended
    first.resetAndDestroy()
    expect(await all.outcome).toMatchObject(broken)
  })

  it.runIf(way.seesResets).each(sides)('by the %s while it is not read is seen at once', async (side) => {
    const all = await relay(way)
    const [first, second] = each(side, all)
    second.pause()
    await writeUntilFull(first, all)
    first.resetAndDestroy()
    expect(await all.outcome).toMatchObject(broken)
    await over(second)
  })

  // libuv takes a reset that comes with data for an end.
  it.runIf(way.seesResets).each(sides)('by the %s comes after what that had said', async (side) => {
    const all = await relay(way)
    const [first, second] = each(side, all)
    const heard: string[] = []
    second.on('data', (chunk) => heard.push(String(chunk)))
    const heardAll = over(second)
    first.write('famous last words')
    first.resetAndDestroy()
    await heardAll
    expect(heard.join('')).toBe('famous last words')
    expect(all.traffic).toEqual(counted(side, 17))
    expect(await all.outcome).toMatchObject({ code: 'ECONNRESET' })
  })
})

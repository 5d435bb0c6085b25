import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { transportOf } from '@it-socks/stage'
import { pattern } from '../support/duplex.ts'
import { descriptors } from '../support/process.ts'
import { hear, over } from '../support/sockets.ts'
import { ways } from './engines.ts'
import { megabyte, pair, relay, relayOf, writeUntilFull } from './setup.ts'

const reset = [{ code: 'ECONNRESET' }]

describe.each(ways)('a relay by $name', (way) => {
  it('resets both sides when its signal aborts', async () => {
    const owner = new AbortController()
    const { client, target, outcome } = await relay(way, { signal: owner.signal })
    const broken = Promise.all([once(client.resume(), 'error'), once(target.resume(), 'error')])
    const reason = new Error('the server is closing')
    owner.abort(reason)
    expect(await broken).toMatchObject([reset, reset])
    expect(await outcome).toBe(reason)
  })

  it('resets both sides when its signal has aborted', async () => {
    const reason = new Error('the server is closing')
    const { client, target, outcome } = await relay(way, { signal: AbortSignal.abort(reason) })
    await Promise.all([over(client), over(target)])
    expect(await outcome).toBe(reason)
  })

  it('can be aborted with its pipes full, and leaves nothing', async () => {
    const before = await descriptors()
    const owner = new AbortController()
    const all = await relay(way, { signal: owner.signal })
    all.client.pause()
    await writeUntilFull(all.target, all)
    owner.abort(new Error('enough'))
    await Promise.all([over(all.client), over(all.target)])
    for (const socket of [all.client, all.target]) socket.destroy()
    expect(await descriptors()).toBe(before)
  })

  it.runIf(way.hasTransports)('can be aborted while it waits for what was written before', async () => {
    const before = await descriptors()
    const owner = new AbortController()
    const both = await pair(way)
    both.client.pause()
    const transport = transportOf(both.near)!
    transport.write(pattern(12 * megabyte))
    expect(transport.waiting).toBeGreaterThan(0)
    const { client, target, outcome } = relayOf(way, both, { signal: owner.signal })
    const reason = new Error('enough')
    owner.abort(reason)
    await Promise.all([over(client), over(target)])
    expect(await outcome).toBe(reason)
    for (const socket of [client, target]) socket.destroy()
    expect(await descriptors()).toBe(before)
  })

  it.runIf(way.hasTransports)('fails where a side breaks while it waits for what was written before', async () => {
    const both = await pair(way)
    both.client.pause()
    transportOf(both.near)!.write(pattern(12 * megabyte))
    const { client, target, outcome } = relayOf(way, both)
    client.resetAndDestroy()
    expect(await outcome).toMatchObject({ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) })
    await over(target)
  })

  it('resets both sides when nothing has gone either way for a while', async () => {
    const { client, target, outcome } = await relay(way, { idle: 20 })
    const broken = Promise.all([once(client.resume(), 'error'), once(target.resume(), 'error')])
    expect(await outcome).toMatchObject({ code: 'ERR_SOCKS_IDLE' })
    expect(await broken).toMatchObject([reset, reset])
  })

  it('leaves no descriptor when it has ended, be it by messages or in bulk', async () => {
    const before = await descriptors()
    const { client, target, outcome } = await relay(way)
    const heard = hear(target)
    client.resume().end(pattern(8 * megabyte))
    await heard
    target.end()
    await outcome
    for (const socket of [client, target]) socket.destroy()
    expect(await descriptors()).toBe(before)
  })
})

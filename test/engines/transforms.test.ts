import { describe, expect, it } from 'vitest'
import { tap, throttle } from '@it-socks/relay'
import { pattern } from '../support/duplex.ts'
import { hear } from '../support/sockets.ts'
import { ways } from './engines.ts'
import { relay } from './setup.ts'

describe.each(ways)('what bytes go through on their way in a relay by $name', (way) => {
  it('sees each of them', async () => {
    const seen: Uint8Array[] = []
    const { client, target, outcome } = await relay(way, { up: [tap((bytes) => seen.push(bytes.slice()))] })
    const said = pattern(300_000)
    const heard = hear(target)
    client.resume().end(said)
    expect((await heard).equals(said)).toBe(true)
    expect(Buffer.concat(seen).equals(said)).toBe(true)
    target.end()
    expect(await outcome).toEqual({ up: said.length, down: 0 })
  })

  it('may hold them up', async () => {
    const { client, target, outcome } = await relay(way, { down: [throttle(100_000_000)] })
    const said = pattern(1_000_000)
    const heard = hear(client)
    target.resume().end(said)
    expect((await heard).equals(said)).toBe(true)
    client.end()
    expect(await outcome).toEqual({ up: 0, down: said.length })
  })

  it('resets both sides where it fails', async () => {
    const failure = new Error('no')
    const fail = tap(() => {
      throw failure
    })
    const { client, outcome } = await relay(way, { up: [fail] })
    client.on('error', () => {}).write('anything')
    expect(await outcome).toBe(failure)
  })
})

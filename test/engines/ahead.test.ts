import { describe, expect, it } from 'vitest'
import { transportOf } from '@it-socks/stage'
import { pattern } from '../support/duplex.ts'
import { hear } from '../support/sockets.ts'
import { ways } from './engines.ts'
import { megabyte, pair, relayOf } from './setup.ts'

describe.each(ways)('what was read before a relay by $name', (way) => {
  it.runIf(way.hasTransports)('comes first where it was given back, then what waits in the kernel', async () => {
    const both = await pair(way)
    both.client.write('early ')
    const { value } = await both.near.source[Symbol.asyncIterator]().next()
    expect(value?.length).toBe(6)
    transportOf(both.near)!.unread(value)
    both.client.write('late')
    const { client, target, outcome } = relayOf(way, both)
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end()
    target.end('banner')
    expect((await atTarget).toString()).toBe('early late')
    expect((await atClient).toString()).toBe('banner')
    expect(await outcome).toEqual({ up: 10, down: 6 })
  })

  it('is all there where both sides had said all that they have to say', async () => {
    const both = await pair(way)
    const said = pattern(megabyte / 2)
    both.client.end(said)
    both.target.end('banner')
    const { client, target, outcome } = relayOf(way, both)
    const [atTarget, atClient] = await Promise.all([hear(target), hear(client)])
    expect(atTarget.equals(said)).toBe(true)
    expect(atClient.toString()).toBe('banner')
    expect(await outcome).toEqual({ up: said.length, down: 6 })
  })

  it.runIf(way.hasTransports)(
    'was answered first: what is still to be written comes before what is relayed',
    async () => {
      const both = await pair(way)
      const reply = pattern(12 * megabyte)
      const transport = transportOf(both.near)!
      transport.write(reply)
      expect(transport.waiting).toBeGreaterThan(0)
      const { client, target, outcome } = relayOf(way, both)
      target.end('and then')
      const heard = await hear(client)
      expect(heard.subarray(0, reply.length).equals(reply)).toBe(true)
      expect(heard.subarray(reply.length).toString()).toBe('and then')
      target.resume()
      client.end()
      expect(await outcome).toEqual({ up: 0, down: 8 })
    }
  )
})

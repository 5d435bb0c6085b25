import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { loop } from '@it-socks/syscall'
import { relayedEvents } from '@it-socks/splice'
import { pattern } from '../../../test/support/duplex.ts'
import { openDescriptors } from '../../../test/support/process.ts'
import { hear } from '../../../test/support/sockets.ts'
import { relay, type Test } from './setup.ts'

const megabyte = 1_048_576

// What bytes, ends and resets go through it is in `test/engines`.
describe('a relay of descriptors', () => {
  it('lets others have their turn while bytes flow', async () => {
    const [busy, other] = [await relay(), await relay()]
    const heard = hear(busy.target)
    busy.client.write(pattern(64 * megabyte))
    await once(busy.target, 'data')
    other.client.write('ping')
    const [ping] = await once(other.target, 'data')
    expect(String(ping)).toBe('ping')
    expect(busy.traffic.up).toBeLessThan(64 * megabyte)
    busy.client.end()
    await heard
    busy.target.end()
    await busy.outcome
  })

  it('resets both sides when it is aborted, once, and tells nobody', async () => {
    const { client, target, relayed, outcome } = await relay()
    const broken = Promise.all([once(client.resume(), 'error'), once(target.resume(), 'error')])
    relayed.abort(new Error('enough'))
    relayed.abort(new Error('enough'))
    expect(await broken).toMatchObject([[{ code: 'ECONNRESET' }], [{ code: 'ECONNRESET' }]])
    expect(await Promise.race([outcome, turn('nothing')])).toBe('nothing')
  })

  it('may be aborted by who counts', async () => {
    const test: Test = await relay({ passed: () => test.relayed.abort(new Error('too much')) })
    const broken = Promise.all([once(test.client.resume(), 'error'), once(test.target.resume(), 'error')])
    test.client.write('one byte too many')
    await broken
    expect(test.traffic).toEqual({ up: 17, down: 0 })
  })
})

describe('what was read before there was a relay', () => {
  it('comes first', async () => {
    const { client, target, outcome } = await relay({
      client: { ahead: [Buffer.from('one '), Buffer.from('two ')] },
      target: { ahead: [Buffer.from('banner ')] }
    })
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end('three')
    target.end('body')
    expect((await atTarget).toString()).toBe('one two three')
    expect((await atClient).toString()).toBe('banner body')
    expect(await outcome).toEqual({ up: 13, down: 11 })
  })

  it.each([1000, 4 * megabyte])('may be its end, too, after %d bytes', async (length) => {
    const said = pattern(length)
    const { client, target, outcome } = await relay({ client: { ahead: [said], ended: true } })
    const [atTarget, atClient] = [hear(target), hear(client)]
    expect((await atTarget).equals(said)).toBe(true)
    target.end('answer')
    expect((await atClient).toString()).toBe('answer')
    client.end()
    expect(await outcome).toEqual({ up: length, down: 6 })
  })

  it('may be the end of both: that is told later', async () => {
    let told = false
    const { outcome } = await relay({
      client: { ended: true },
      target: { ended: true },
      before: () =>
        queueMicrotask(() => {
          told = true
        })
    })
    expect(await outcome).toEqual({ up: 0, down: 0 })
    expect(told).toBe(true)
  })

  it('is not lost by a descriptor that is watched already', async () => {
    const seen: number[] = []
    const test = await relay({
      before: (client, target) => {
        for (const fd of [client, target]) loop.watch(fd, relayedEvents, { ready: (events) => seen.push(events) })
      }
    })
    const heard = hear(test.target)
    test.client.resume().end('hello')
    expect((await heard).toString()).toBe('hello')
    test.target.end()
    expect(await test.outcome).toEqual({ up: 5, down: 0 })
    expect(seen).toEqual([])
  })
})

describe('descriptors', () => {
  it('are two for a relay with nothing on its way', async () => {
    const { client, target, outcome } = await relay()
    const before = openDescriptors().length
    const { client: next, target: other, outcome: second } = await relay()
    // And two are the peers'.
    expect(openDescriptors().length).toBe(before + 4)
    for (const socket of [client, target, next, other]) socket.resume().end()
    await Promise.all([outcome, second])
  })
})

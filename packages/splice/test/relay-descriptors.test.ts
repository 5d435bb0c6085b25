import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MSG_OOB, allocate, loop, send } from '@it-socks/syscall'
import { relayedEvents } from '@it-socks/splice'
import { descriptorOf, hear, over, pattern, relay, standstill, type Test } from './setup.ts'

const sides = (side: 'client' | 'target', { client, target }: Test): [Socket, Socket] =>
  side === 'client' ? [client, target] : [target, client]
/** Writes until the socket is broken. */
const brokenByWriting = async (socket: Socket): Promise<void> => {
  const broken = once(socket, 'error')
  while (!socket.destroyed) {
    socket.write('are you there?', () => {})
    await turn()
  }
  expect(await broken).toMatchObject([{ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) }])
}

const both = ['client', 'target'] as const
const megabyte = 1_048_576

describe('a relay of descriptors', () => {
  it('takes bytes both ways, and counts them', async () => {
    const { client, target, outcome } = await relay()
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end('hello')
    target.end('good day')
    expect((await atTarget).toString()).toBe('hello')
    expect((await atClient).toString()).toBe('good day')
    expect(await outcome).toEqual({ up: 5, down: 8 })
  })

  it.each(both)('takes megabytes from the %s, byte by byte what they were', async (side) => {
    const all = await relay()
    const [from, to] = sides(side, all)
    const said = pattern(40 * megabyte + 3)
    const heard = hear(to)
    from.end(said)
    expect((await heard).equals(said)).toBe(true)
    to.end()
    const counted = await all.outcome
    expect(side === 'client' ? counted.up : counted.down).toBe(said.length)
  })

  it('takes megabytes both ways at a time', async () => {
    const { client, target, outcome } = await relay()
    const said = pattern(20 * megabyte)
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end(said)
    target.end(said)
    expect((await atTarget).equals(said)).toBe(true)
    expect((await atClient).equals(said)).toBe(true)
    expect(await outcome).toEqual({ up: said.length, down: said.length })
  })

  it('takes bytes that come one by one, bulk, and again one by one', async () => {
    const { client, target, outcome } = await relay()
    const bulk = pattern(10 * megabyte)
    const heard = hear(target)
    for (let said = 0; said < 100; said++) {
      client.write(Uint8Array.of(said))
      await turn()
    }
    client.write(bulk)
    await once(client, 'drain')
    for (let said = 100; said < 200; said++) {
      client.write(Uint8Array.of(said))
      await turn()
    }
    client.end()
    const expected = Buffer.concat([
      pattern(0),
      Uint8Array.from({ length: 100 }, (_, index) => index),
      bulk,
      Uint8Array.from({ length: 100 }, (_, index) => index + 100)
    ])
    expect((await heard).equals(expected)).toBe(true)
    target.end()
    expect(await outcome).toEqual({ up: expected.length, down: 0 })
  })

  it.each(both)('goes on one way long after the %s has closed its half', async (side) => {
    const all = await relay()
    const [first, second] = sides(side, all)
    const closing = once(second, 'end')
    second.resume()
    first.end()
    await closing
    const heard = hear(first)
    const bulk = pattern(8 * megabyte)
    for (let said = 0; said < 100; said++) {
      second.write(`${said} `)
      await turn()
    }
    second.end(bulk)
    const text = Buffer.from(Array.from({ length: 100 }, (_, said) => `${said} `).join(''))
    expect((await heard).equals(Buffer.concat([text, bulk]))).toBe(true)
    const { up, down, error } = await all.outcome
    expect([up, down, error]).toEqual(
      side === 'client' ? [0, text.length + bulk.length, undefined] : [text.length + bulk.length, 0, undefined]
    )
  })

  it.each(both)('sees the end that comes together with the last bytes of the %s', async (side) => {
    for (let round = 0; round < 20; round++) {
      const all = await relay()
      const [first, second] = sides(side, all)
      const heard = hear(second)
      first.resume().end('a few bytes')
      expect((await heard).toString()).toBe('a few bytes')
      second.end()
      expect((await all.outcome).error).toBeUndefined()
    }
  })

  it.each(both)('stops who writes where the %s does not read, and loses nothing', async (side) => {
    const all = await relay()
    const [reader, writer] = sides(side, all)
    reader.pause()
    const said = pattern(60 * megabyte)
    writer.write(said)
    const taken = () => all.traffic.up + all.traffic.down
    const stalled = await standstill(taken)
    expect(stalled).toBeGreaterThan(0)
    expect(stalled).toBeLessThan(said.length)
    const heard = hear(reader)
    writer.end()
    expect((await heard).equals(said)).toBe(true)
    reader.end()
    expect((await all.outcome).error).toBeUndefined()
    expect(taken()).toBe(said.length)
  })

  it('does not deadlock where both are full and neither reads', async () => {
    const { client, target, outcome, traffic } = await relay()
    const said = pattern(30 * megabyte)
    client.pause().end(said)
    target.pause().end(said)
    await standstill(() => traffic.up + traffic.down)
    const [atTarget, atClient] = await Promise.all([hear(target), hear(client)])
    expect(atTarget.equals(said)).toBe(true)
    expect(atClient.equals(said)).toBe(true)
    expect(await outcome).toEqual({ up: said.length, down: said.length })
  })

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

  it.each(both)('passes a reset by the %s on to the other side', async (side) => {
    const all = await relay()
    const [first, second] = sides(side, all)
    const broken = once(second, 'error')
    second.resume()
    first.resetAndDestroy()
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }])
    expect(await all.outcome).toMatchObject({ error: { code: 'ECONNRESET' } })
  })

  it.each(both)('sees a reset by the %s that comes after its end', async (side) => {
    const all = await relay()
    const [first, second] = sides(side, all)
    const ended = once(second, 'end')
    second.resume()
    first.end()
    await ended
    first.resetAndDestroy()
    expect(await all.outcome).toMatchObject({ error: { code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) } })
    // Node does not see it of a socket that has ended, until there is something to write.
    await brokenByWriting(second)
  })

  it.each(both)('sees a reset by the %s while it is not read, because the other is slow', async (side) => {
    const all = await relay()
    const [first, second] = sides(side, all)
    second.pause()
    first.on('error', () => {}).write(pattern(60 * megabyte))
    await standstill(() => all.traffic.up + all.traffic.down)
    first.resetAndDestroy()
    expect(await all.outcome).toMatchObject({ error: { code: 'ECONNRESET' } })
    await over(second)
  })

  it.each(both)('delivers what the %s had said before it reset', async (side) => {
    const all = await relay()
    const [first, second] = sides(side, all)
    const heard: string[] = []
    second.on('data', (chunk) => heard.push(String(chunk)))
    const heardAll = over(second)
    first.write('famous last words')
    first.resetAndDestroy()
    await heardAll
    expect(all.traffic.up + all.traffic.down).toBe(17)
    expect(heard.join('')).toBe('famous last words')
    expect(await all.outcome).toMatchObject({ error: { code: 'ECONNRESET' } })
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

  it('is aborted with bytes on their way, and leaves no pipe', async () => {
    const before = readdirSync('/proc/self/fd').length
    const { client, target, relayed, traffic } = await relay()
    client.on('error', () => {}).write(pattern(60 * megabyte))
    target.pause().on('error', () => {})
    await standstill(() => traffic.up)
    relayed.abort(new Error('enough'))
    await Promise.all([over(client), over(target)])
    for (const socket of [client, target]) socket.destroy()
    expect(readdirSync('/proc/self/fd').length).toBe(before)
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
  it('are closed when both sides have ended, and nothing else stays open', async () => {
    const before = readdirSync('/proc/self/fd').length
    const { client, target, outcome } = await relay()
    const heard = hear(target)
    client.resume().end(pattern(8 * megabyte))
    await heard
    target.end()
    await outcome
    await Promise.all([client, target].map((socket) => socket.closed || once(socket, 'close')))
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })

  it('are two for a relay with nothing on its way', async () => {
    const { client, target, outcome } = await relay()
    const before = readdirSync('/proc/self/fd').length
    const { client: next, target: other, outcome: second } = await relay()
    // And two are the peers'.
    expect(readdirSync('/proc/self/fd').length).toBe(before + 4)
    for (const socket of [client, target, next, other]) socket.resume().end()
    await Promise.all([outcome, second])
  })

  it('may be those of unix sockets', async () => {
    const path = `\0it-socks-${process.pid}-${Math.random()}`
    const { client, target, outcome } = await relay({ where: { path } })
    const said = pattern(20 * megabyte)
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end(said)
    target.end(said)
    expect((await atTarget).equals(said)).toBe(true)
    expect((await atClient).equals(said)).toBe(true)
    expect(await outcome).toEqual({ up: said.length, down: said.length })
  })
})

describe('urgent data', () => {
  const urgent = (socket: Socket, text: string): void => {
    const memory = allocate(text.length)
    memory.bytes.set(Buffer.from(text))
    expect(send(descriptorOf(socket), memory.address, text.length, MSG_OOB)).toBe(text.length)
  }

  it.each([0, 8 * megabyte])('does not stop what comes after it, with %d bytes before', async (length) => {
    const { client, target, outcome } = await relay()
    const heard = hear(target)
    client.write(pattern(length))
    if (client.writableNeedDrain) await once(client, 'drain')
    client.resume().write('before')
    urgent(client, 'ABOR!')
    client.end('after')
    // The urgent byte itself is not in the stream.
    expect((await heard).subarray(length).toString()).toBe('beforeABORafter')
    target.end()
    expect(await outcome).toMatchObject({ down: 0 })
  })
})

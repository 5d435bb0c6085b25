import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import {
  all,
  connected,
  countClosed,
  failureOf,
  hear,
  iterate,
  kinds,
  opened,
  say,
  silence,
  socketPath,
  standstill,
  textOf
} from './setup.ts'

const chunk = new Uint8Array(65_536).fill(7)

/** More than a socket and its peer hold. */
const much = new Uint8Array(16_000_000).fill(7)

describe.each(kinds)('abort of %s', (_, open) => {
  const reason = new Error('enough')

  it('is a reset on TCP, and both directions fail with its reason', async () => {
    const { ours, peer } = await open()
    const broken = once(peer.resume(), 'error')
    const quiet = silence()
    const outcomes = [failureOf(iterate(ours).next()), failureOf(ours.sink(quiet.source))]
    ours.abort(reason)
    expect(await Promise.all(outcomes)).toEqual([reason, reason])
    expect(quiet.state.returned).toBe(true)
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }])
  })

  it('is a plain end on a unix socket, which has no reset', async () => {
    const { ours, peer } = await open(await socketPath())
    const broken: unknown[] = []
    peer.on('error', (error) => broken.push(error))
    const heard = hear(peer)
    const outcomes = [failureOf(iterate(ours).next()), failureOf(ours.sink(silence().source))]
    ours.abort(reason)
    expect(await Promise.all(outcomes)).toEqual([reason, reason])
    expect([await heard, broken]).toEqual(['', []])
  })

  it('keeps its first reason, for whoever comes later as well', async () => {
    const { ours } = await open()
    ours.abort(reason)
    ours.abort(new Error('again'))
    const quiet = silence()
    expect(await failureOf(ours.sink(quiet.source))).toBe(reason)
    expect(await failureOf(all(ours.source))).toBe(reason)
    expect(quiet.state.returned).toBe(true)
  })

  it('after the end of both directions changes nothing', async () => {
    const { ours, peer } = await open()
    const closed = await countClosed()
    peer.resume().end()
    await Promise.all([all(ours.source), ours.sink(say()), closed(2)])
    ours.abort(reason)
    expect(await all(ours.source)).toHaveLength(0)
  })

  it('follows where the source that the sink was given throws', async () => {
    const { ours, peer } = await open()
    const broken = once(peer, 'error')
    const heard = once(peer, 'data')
    const failing = async function* (): AsyncGenerator<Bytes, void> {
      yield hex`01`
      // Where a reset arrives together with data, libuv takes it for an end.
      await heard
      throw reason
    }
    const reading = failureOf(all(ours.source))
    expect(await failureOf(ours.sink(failing()))).toBe(reason)
    expect(await reading).toBe(reason)
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }])
  })
})

describe.each(kinds)('%s that breaks', (_, open) => {
  it('fails a sink whose source is silent, and returns that source', async () => {
    const { ours, peer } = await open()
    const quiet = silence()
    const sent = failureOf(ours.sink(quiet.source))
    const reading = failureOf(all(ours.source))
    peer.resetAndDestroy()
    expect(await sent).toMatchObject({ code: 'ECONNRESET' })
    expect(await reading).toBe(await sent)
    expect(quiet.state.returned).toBe(true)
  })

  it('fails a sink that waits for room', async () => {
    const { ours, peer } = await open()
    peer.pause()
    let said = 0
    const flood = async function* (): AsyncGenerator<Bytes, void> {
      for (;;) {
        said += 1
        yield chunk
      }
    }
    const sent = failureOf(ours.sink(flood()))
    await standstill(() => said)
    peer.resetAndDestroy()
    expect(await sent).toMatchObject({ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) })
  })
})

describe('what was destroyed without a reason', () => {
  it('is named, where it was a socket of Node’s', async () => {
    const { ours, socket } = await connected()
    const sent = failureOf(ours.sink(silence().source))
    socket.destroy()
    expect(await sent).toEqual(new ClosedError())
    expect(await failureOf(all(ours.source))).toBe(await sent)
  })
})

describe('a handle', () => {
  const reason = new Error('enough')

  it('tells everybody who waits for something to read', async () => {
    const { ours, peer } = await opened()
    const reader = iterate(ours)
    const waiting = [reader.next(), reader.next(), reader.next()].map(failureOf)
    peer.resetAndDestroy()
    const [first, ...others] = await Promise.all(waiting)
    expect(first).toMatchObject({ code: 'ECONNRESET', errno: expect.any(Number), syscall: 'read' })
    expect(others).toEqual([first, first])
    expect(others[0]).toBe(first)
  })

  it('hands out what was read before it broke first', async () => {
    const { ours, peer } = await opened()
    const reader = iterate(ours)
    peer.write('hello')
    await reader.next()
    peer.write(' world')
    await standstill(() => peer.bytesWritten)
    ours.abort(reason)
    expect(textOf(await reader.next())).toBe(' world')
    expect(await failureOf(reader.next())).toBe(reason)
  })

  it('fails a sink that has said its end, and whose bytes wait', async () => {
    const { ours, at, peer } = await opened()
    const closed = await countClosed()
    peer.pause()
    const sent = failureOf(ours.sink(say(much)))
    await standstill(() => at.waiting)
    expect(at.waiting).toBeGreaterThan(0)
    ours.abort(reason)
    expect(await sent).toBe(reason)
    peer.destroy()
    await closed(2)
  })

  it('is closed where it is aborted after it has said its end', async () => {
    const { ours, peer } = await opened()
    const closed = await countClosed()
    const ended = once(peer.resume(), 'end')
    await Promise.all([ours.sink(say()), ended])
    const reading = failureOf(iterate(ours).next())
    ours.abort(reason)
    expect(await reading).toBe(reason)
    peer.destroy()
    await closed(2)
  })

  it.each([
    ['TCP', async () => undefined],
    ['unix', socketPath]
  ])('has no end to say where its sink’s source throws at once: %s', async (_, where) => {
    const { ours, peer } = await opened(await where())
    const closed = await countClosed()
    const reading = failureOf(all(ours.source))
    const failing: AsyncIterable<Bytes> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(reason) })
    }
    expect(await failureOf(ours.sink(failing))).toBe(reason)
    expect(await reading).toBe(reason)
    peer.destroy()
    await closed(2)
  })

  it('keeps what a source fails with as it is returned to itself', async () => {
    const { ours } = await opened()
    const source: AsyncIterableIterator<Bytes, void> = {
      ...silence().source,
      [Symbol.asyncIterator]: () => source,
      return: () => Promise.reject(new Error('not now'))
    }
    const sent = failureOf(ours.sink(source))
    ours.abort(reason)
    expect(await sent).toBe(reason)
  })
})

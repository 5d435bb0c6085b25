import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from '@it-socks/stage'
import { all, failureOf, iterate, say, silence, textOf } from '../../../test/support/duplex.ts'
import { countClosed, standstill } from '../../../test/support/process.ts'
import { socketPath } from '../../../test/support/sockets.ts'
import { connected, opened } from './setup.ts'

/** More than a socket and its peer hold. */
const much = new Uint8Array(16_000_000).fill(7)

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

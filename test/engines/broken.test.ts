import { once } from 'node:events'
import { constants } from 'node:os'
import { describe, expect, it, vi } from 'vitest'
import type { Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { connected } from '../support/connected.ts'
import { all, failureOf, iterate, say, silence } from '../support/duplex.ts'
import { countClosed, standstill } from '../support/process.ts'
import { hearText } from '../support/sockets.ts'
import { engines } from './engines.ts'

const chunk = new Uint8Array(65_536).fill(7)
const reason = new Error('enough')

describe.each(engines)('abort of a connection of $name', ({ engine, hasTransports }) => {
  it.each(['dialled', 'accepted'] as const)(
    'is a reset, and both directions fail with its reason: %s',
    async (kind) => {
      const { ours, peer } = await connected(engine, kind)
      const closed = await countClosed()
      const broken = once(peer.resume(), 'error')
      const quiet = silence()
      const outcomes = [failureOf(iterate(ours).next()), failureOf(ours.sink(quiet.source))]
      ours.abort(reason)
      expect(await Promise.all(outcomes)).toEqual([reason, reason])
      expect(quiet.state.returned).toBe(true)
      expect(await broken).toMatchObject([{ code: 'ECONNRESET' }])
      await closed(2)
    }
  )

  it('is a plain end on a unix socket, which has no reset', async () => {
    const { ours, peer } = await connected(engine, 'unix')
    const broken: unknown[] = []
    peer.on('error', (error) => broken.push(error))
    const heard = hearText(peer)
    const outcomes = [failureOf(iterate(ours).next()), failureOf(ours.sink(silence().source))]
    ours.abort(reason)
    expect(await Promise.all(outcomes)).toEqual([reason, reason])
    expect([await heard, broken]).toEqual(['', []])
  })

  it('keeps its first reason, for whoever comes later as well', async () => {
    const { ours } = await connected(engine)
    ours.abort(reason)
    ours.abort(new Error('again'))
    const quiet = silence()
    expect(await failureOf(ours.sink(quiet.source))).toBe(reason)
    expect(await failureOf(all(ours.source))).toBe(reason)
    expect(quiet.state.returned).toBe(true)
  })

  it('after the end of both directions changes nothing', async () => {
    const { ours, peer } = await connected(engine)
    const closed = await countClosed()
    peer.resume().end()
    await Promise.all([all(ours.source), ours.sink(say()), closed(2)])
    ours.abort(reason)
    expect(await all(ours.source)).toHaveLength(0)
  })

  it('follows where the source that the sink was given throws', async () => {
    const { ours, peer } = await connected(engine)
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

  it.runIf(hasTransports)('is told to whoever neither reads nor writes', async () => {
    const { ours } = await connected(engine)
    const broken = vi.fn<(error: unknown) => void>()
    const replaced = vi.fn<(error: unknown) => void>()
    ours.transport?.broken(replaced)
    const told = new Promise<void>((resolve) =>
      ours.transport?.broken((error) => {
        broken(error)
        resolve()
      })
    )
    ours.abort(reason)
    await told
    expect(broken.mock.calls).toEqual([[reason]])
    expect(replaced).not.toHaveBeenCalled()
  })
})

describe.each(engines)('a connection of $name that breaks', ({ engine, hasTransports }) => {
  it.each(['dialled', 'accepted'] as const)('fails a sink whose source is silent, and returns it: %s', async (kind) => {
    const { ours, peer } = await connected(engine, kind)
    const closed = await countClosed()
    const quiet = silence()
    const sent = failureOf(ours.sink(quiet.source))
    const reading = failureOf(all(ours.source))
    peer.resetAndDestroy()
    expect(await sent).toMatchObject({ code: 'ECONNRESET', syscall: 'read', errno: -constants.errno.ECONNRESET })
    expect(await reading).toBe(await sent)
    expect(quiet.state.returned).toBe(true)
    await closed(2)
  })

  it.each([
    ['gives no promise', () => ({ done: true, value: undefined }) as never],
    [
      'throws',
      (): never => {
        throw new Error('a mistake')
      }
    ]
  ])('fails a sink and who reads also where the return of what it sends %s', async (_, leave) => {
    const { ours, peer } = await connected(engine)
    const iterator: AsyncIterator<Bytes, void> = { next: () => new Promise(() => {}), return: leave }
    const sent = failureOf(ours.sink({ [Symbol.asyncIterator]: () => iterator }))
    const reading = failureOf(all(ours.source))
    peer.resetAndDestroy()
    expect(await sent).toMatchObject({ code: 'ECONNRESET' })
    expect(await reading).toBe(await sent)
  })

  it('fails a sink that waits for room', async () => {
    const { ours, peer } = await connected(engine)
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

  it('tells a reader what came before it, and then that', async () => {
    const { ours, peer } = await connected(engine)
    await new Promise((sent) => void peer.write('last words', sent))
    const reader = iterate(ours)
    expect(String(Buffer.from((await reader.next()).value as Uint8Array))).toBe('last words')
    peer.resetAndDestroy()
    expect(await failureOf(reader.next())).toMatchObject({ code: 'ECONNRESET' })
  })

  it.runIf(hasTransports)('is told to whoever writes without a sink', async () => {
    const { ours, peer } = await connected(engine)
    const told = new Promise((resolve) => ours.transport?.broken(resolve))
    const reading = failureOf(iterate(ours).next())
    peer.resetAndDestroy()
    expect(await told).toBe(await reading)
    ours.transport?.write(hex`00`)
    expect(await failureOf(ours.sink(say()))).toBe(await reading)
  })
})

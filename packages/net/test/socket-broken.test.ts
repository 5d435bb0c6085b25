import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { all, connected, failureOf, hear, iterate, say, silence, socketPath, standstill } from './setup.ts'

const chunk = new Uint8Array(65_536).fill(7)

describe('abort', () => {
  const reason = new Error('enough')

  it('is a reset on TCP, and both directions fail with its reason', async () => {
    const { ours, peer } = await connected()
    const broken = once(peer.resume(), 'error')
    const quiet = silence()
    const outcomes = [failureOf(iterate(ours).next()), failureOf(ours.sink(quiet.source))]
    ours.abort(reason)
    expect(await Promise.all(outcomes)).toEqual([reason, reason])
    expect(quiet.state.returned).toBe(true)
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }])
  })

  it('is a plain end on a unix socket, which has no reset', async () => {
    const { ours, peer } = await connected(await socketPath())
    const broken: unknown[] = []
    peer.on('error', (error) => broken.push(error))
    const heard = hear(peer)
    const outcomes = [failureOf(iterate(ours).next()), failureOf(ours.sink(silence().source))]
    ours.abort(reason)
    expect(await Promise.all(outcomes)).toEqual([reason, reason])
    expect([await heard, broken]).toEqual(['', []])
  })

  it('keeps its first reason, for whoever comes later as well', async () => {
    const { ours } = await connected()
    ours.abort(reason)
    ours.abort(new Error('again'))
    const quiet = silence()
    expect(await failureOf(ours.sink(quiet.source))).toBe(reason)
    expect(await failureOf(all(ours.source))).toBe(reason)
    expect(quiet.state.returned).toBe(true)
  })

  it('after the end of both directions changes nothing', async () => {
    const { ours, socket, peer } = await connected()
    const closed = once(socket, 'close')
    peer.resume().end()
    await Promise.all([all(ours.source), ours.sink(say()), closed])
    ours.abort(reason)
    expect(await all(ours.source)).toHaveLength(0)
  })

  it('follows where the source that the sink was given throws', async () => {
    const { ours, peer } = await connected()
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

describe('a socket that breaks', () => {
  it('fails a sink whose source is silent, and returns that source', async () => {
    const { ours, peer } = await connected()
    const quiet = silence()
    const sent = failureOf(ours.sink(quiet.source))
    const reading = failureOf(all(ours.source))
    peer.resetAndDestroy()
    expect(await sent).toMatchObject({ code: 'ECONNRESET' })
    expect(await reading).toBe(await sent)
    expect(quiet.state.returned).toBe(true)
  })

  it('fails a sink that waits for room', async () => {
    const { ours, peer } = await connected()
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

  it('is named also where it was destroyed without a reason', async () => {
    const { ours, socket } = await connected()
    const sent = failureOf(ours.sink(silence().source))
    socket.destroy()
    expect(await sent).toEqual(new ClosedError())
    expect(await failureOf(all(ours.source))).toBe(await sent)
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DeadlineError, RefusedError, greeting, methodSelection, request } from '@it-socks/protocol'
import { deadline, frames, handshake, pipe, stage } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'
import { chunks, failureOf } from './steps.ts'

/** Answers the greeting and waits for a request. */
const negotiate = stage<unknown, {}>(async function* ({ frames }) {
  const { methods } = await frames.read(greeting)
  yield methodSelection.encode({ method: methods[0] ?? 0xff })
  await frames.read(request)
  return {}
})

/** A peer that greets and never reads what it is answered. */
const deafPeer = () => {
  const [near, far] = duplexPair()
  const spoken = failureOf(
    far.sink(
      (async function* () {
        yield hex`05 01 00`
        await new Promise(() => {})
      })()
    )
  )
  return { near, spoken }
}

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('a peer that never reads', () => {
  it('does not hold up an abort', async () => {
    const { near, spoken } = deafPeer()
    const controller = new AbortController()
    const failure = failureOf(
      pipe(near, frames({ signal: controller.signal }), negotiate, handshake(near, { linger: 100 }))
    )
    await vi.advanceTimersByTimeAsync(10)
    controller.abort(new Error('enough'))
    await vi.advanceTimersByTimeAsync(100)
    expect(await failure).toEqual(new Error('enough'))
    expect(String(await spoken)).toContain('reset')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not hold up a deadline', async () => {
    const { near, spoken } = deafPeer()
    const failure = failureOf(
      pipe(near, frames(), deadline('negotiation', 1000, negotiate), handshake(near, { linger: 100 }))
    )
    await vi.advanceTimersByTimeAsync(1100)
    expect(await failure).toBeInstanceOf(DeadlineError)
    expect(String(await spoken)).toContain('reset')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('has the linger time to read its refusal, and no longer', async () => {
    const { near, spoken } = deafPeer()
    const refuse = stage<unknown, {}>(async function* () {
      yield hex`05 ff`
      throw new RefusedError('not-allowed')
    })
    const failure = failureOf(pipe(near, frames(), refuse, handshake(near, { linger: 100 })))
    await vi.advanceTimersByTimeAsync(100)
    expect(await failure).toBeInstanceOf(RefusedError)
    expect(String(await spoken)).toContain('reset')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is waited for by a stage that says more than 64 KiB, and loses nothing of it', async () => {
    const [near, far] = duplexPair()
    const chunk = new Uint8Array(4096).fill(7)
    let said = 0
    const verbose = stage<unknown, {}>(async function* () {
      for (; said < 100; said++) yield chunk
      return {}
    })
    const piped = pipe(near, frames(), verbose, handshake(near))
    await vi.advanceTimersByTimeAsync(1000)
    expect(said).toBeLessThan(20)
    let heard = 0
    const listening = (async () => {
      for await (const bytes of far.source) heard += bytes.byteLength
    })()
    const { duplex } = await piped
    await Promise.all([duplex.sink(chunks()), listening])
    expect(heard).toBe(100 * chunk.length)
  })
})

import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DeadlineError, RefusedError } from '@it-socks/protocol'
import { compose, deadline, stage } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { handoff, run, steps } from './steps.ts'

/** Takes so many milliseconds, then says a byte. */
const taking = (milliseconds: number) =>
  stage<unknown, { done: true }>(async function* () {
    await new Promise((resolve) => {
      setTimeout(resolve, milliseconds)
    })
    yield hex`01`
    return { done: true }
  })

const stuck = stage<unknown, {}>(async function* () {
  await new Promise(() => {})
  return {}
})

describe('deadline', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('lets a stage be that is done in time', async () => {
    const outer = new AbortController()
    const given = handoff({ context: { before: 0 }, signal: outer.signal })
    const outcome = run(deadline('thinking', 1000, taking(999))(steps(hex`00`, given)))
    await vi.advanceTimersByTimeAsync(999)
    const { said, handoff: end } = await outcome
    expect(said).toEqual(['00', '01'])
    expect(end?.context).toEqual({ before: 0, done: true })
    expect(end?.signal).toBe(outer.signal)
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(outer.signal, 'abort')).toEqual([])
  })

  it('fails a stage that takes longer, refuses the peer, and leaves nothing behind', async () => {
    const outer = new AbortController()
    const refuse = vi.fn<() => Uint8Array>(() => hex`ff`)
    const outcome = run(deadline('thinking', 1000, stuck)(steps(handoff({ refuse, signal: outer.signal }))))
    await vi.advanceTimersByTimeAsync(1000)
    const { said, error } = await outcome
    expect(error).toBeInstanceOf(DeadlineError)
    expect(error).toMatchObject({ message: 'thinking took longer than 1000 ms', reply: 'ttl-expired' })
    expect(said).toEqual(['ff'])
    expect(refuse.mock.calls).toEqual([[error]])
    expect(outer.signal.aborted).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(outer.signal, 'abort')).toEqual([])
  })

  it('aborts the signal of the stage', async () => {
    let seen: AbortSignal | undefined
    const watching = stage<unknown, {}>(async function* ({ signal }) {
      seen = signal
      await new Promise(() => {})
      return {}
    })
    const outcome = run(deadline('thinking', 1000, watching)(steps(handoff())))
    await vi.advanceTimersByTimeAsync(1000)
    expect(seen?.reason).toBe((await outcome).error)
  })

  it('is one for all stages that are composed', async () => {
    const outcome = run(deadline('thinking', 1000, compose(taking(600), taking(600)))(steps(handoff())))
    await vi.advanceTimersByTimeAsync(1000)
    const { said, error } = await outcome
    expect(said).toEqual(['01'])
    expect(error).toBeInstanceOf(DeadlineError)
    await vi.runAllTimersAsync()
  })

  it('counts from the handoff, not from what is said before it', async () => {
    const slowly = async function* () {
      yield hex`00`
      await new Promise((resolve) => {
        setTimeout(resolve, 5000)
      })
      yield handoff()
    }
    const outcome = run(deadline('thinking', 1000, taking(999))(slowly()))
    await vi.advanceTimersByTimeAsync(5999)
    expect((await outcome).said).toEqual(['00', '01'])
  })

  it('does not count the stages after it', async () => {
    const outcome = run(taking(5000)(deadline('thinking', 1000, taking(999))(steps(handoff()))))
    await vi.advanceTimersByTimeAsync(5999)
    expect((await outcome).said).toEqual(['01', '01'])
  })

  it('stops its clock with the handoff, while later stages are still to come', async () => {
    const { signal } = new AbortController()
    let inner: AbortSignal | undefined
    const quick = stage<unknown, {}>(async function* ({ signal }) {
      inner = signal
      return {}
    })
    const running = deadline('thinking', 1000, quick)(steps(handoff({ signal })))
    await running.next()
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await vi.advanceTimersByTimeAsync(1000)
    expect(inner?.aborted).toBe(false)
    await running.return()
  })

  it('can stand within another: the shorter counts', async () => {
    const outcome = run(deadline('all', 500, deadline('thinking', 1000, stuck))(steps(handoff())))
    await vi.advanceTimersByTimeAsync(500)
    expect((await outcome).error).toMatchObject({ message: 'all took longer than 500 ms' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leaves the outer signal in force', async () => {
    const outer = new AbortController()
    const reason = new Error('shutting down')
    const outcome = run(deadline('thinking', 1000, stuck)(steps(handoff({ signal: outer.signal }))))
    await vi.advanceTimersByTimeAsync(10)
    outer.abort(reason)
    expect((await outcome).error).toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([
    ['the stage throws', () => Promise.reject(new RefusedError('not-allowed'))],
    [
      'the stage throws at once',
      (): never => {
        throw new RefusedError('not-allowed')
      }
    ]
  ])('stops its clock where %s', async (_, fail) => {
    const { signal } = new AbortController()
    const failing = stage<unknown, {}>(async function* () {
      return await fail()
    })
    const { error } = await run(deadline('thinking', 1000, failing)(steps(handoff({ signal }))))
    expect(error).toBeInstanceOf(RefusedError)
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('stops its clock where the consumer goes away', async () => {
    const { signal } = new AbortController()
    const speaking = stage<unknown, {}>(async function* () {
      yield hex`01`
      return {}
    })
    const running = deadline('thinking', 1000, speaking)(steps(handoff({ signal })))
    await running.next()
    expect(vi.getTimerCount()).toBe(1)
    await running.return()
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

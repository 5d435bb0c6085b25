import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { firstOf, interleave } from '@it-socks/net'
import { ClosedError, RefusedError } from '@it-socks/protocol'
import { failureOf } from '../../../test/support/duplex.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('interleave', () => {
  it.each([
    { given: [], tried: [] },
    { given: ['192.0.2.1'], tried: ['192.0.2.1'] },
    { given: ['::1', '::2', '192.0.2.1', '192.0.2.2'], tried: ['::1', '192.0.2.1', '::2', '192.0.2.2'] },
    { given: ['192.0.2.1', '192.0.2.2', '::1'], tried: ['192.0.2.1', '::1', '192.0.2.2'] },
    { given: ['::1', '192.0.2.1', '192.0.2.2', '192.0.2.3'], tried: ['::1', '192.0.2.1', '192.0.2.2', '192.0.2.3'] },
    { given: ['::1', '::2', '::3', '192.0.2.1'], tried: ['::1', '192.0.2.1', '::2', '::3'] },
    { given: ['192.0.2.2', '192.0.2.1'], tried: ['192.0.2.2', '192.0.2.1'] }
  ])('takes the families of $given in turns, the first one’s first (RFC 8305 section 4)', ({ given, tried }) => {
    expect(interleave(given)).toEqual(tried)
  })
})

/** One attempt, whose outcome the test decides. */
interface Attempt {
  readonly signal: AbortSignal
  readonly win: () => void
  readonly fail: (error: unknown) => void
}

const race = (...candidates: string[]) => {
  const owner = new AbortController()
  const tried: string[] = []
  const attempts = new Map<string, Attempt>()
  const discarded: string[] = []
  const winner = firstOf(
    candidates,
    (candidate, { signal }) => {
      tried.push(candidate)
      return new Promise<string>((resolve, reject) => {
        attempts.set(candidate, { signal, win: () => resolve(`${candidate} it is`), fail: reject })
      })
    },
    { signal: owner.signal, discard: (late) => discarded.push(late) }
  )
  const settled = vi.fn<(outcome: unknown) => void>()
  void winner.then(settled, settled)
  const cancelled = (): string[] => tried.filter((candidate) => attempts.get(candidate)?.signal.aborted)
  const left = (): number => vi.getTimerCount() + getEventListeners(owner.signal, 'abort').length
  return { owner, tried, winner, settled, discarded, cancelled, left, attempt: (name: string) => attempts.get(name)! }
}

/** Lets promises settle; no time passes. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

describe('firstOf', () => {
  it('tries the first candidate alone, for as long as the delay', async () => {
    const { tried, winner, attempt, left } = race('one', 'two')
    await vi.advanceTimersByTimeAsync(249)
    expect(tried).toEqual(['one'])
    attempt('one').win()
    expect(await winner).toBe('one it is')
    expect(attempt('one').signal.aborted).toBe(false)
    expect(left()).toBe(0)
  })

  it('tries the next when one takes longer than the delay; the first to come through wins, the others go', async () => {
    const { tried, winner, attempt, cancelled, left } = race('one', 'two', 'three')
    await vi.advanceTimersByTimeAsync(250)
    expect(tried).toEqual(['one', 'two'])
    await vi.advanceTimersByTimeAsync(250)
    expect(tried).toEqual(['one', 'two', 'three'])
    attempt('two').win()
    expect(await winner).toBe('two it is')
    expect(cancelled()).toEqual(['one', 'three'])
    expect(attempt('one').signal.reason).toEqual(new ClosedError('another attempt was faster'))
    expect(left()).toBe(0)
  })

  it('tries the next at once when one fails, and gives that its full delay', async () => {
    const { tried, attempt, owner, winner } = race('one', 'two', 'three')
    await vi.advanceTimersByTimeAsync(200)
    attempt('one').fail(new Error('refused'))
    await settle()
    expect(tried).toEqual(['one', 'two'])
    await vi.advanceTimersByTimeAsync(249)
    expect(tried).toEqual(['one', 'two'])
    await vi.advanceTimersByTimeAsync(1)
    expect(tried).toEqual(['one', 'two', 'three'])
    owner.abort()
    await failureOf(winner)
  })

  it('waits for those under way when there is no other to try, without a clock', async () => {
    const { winner, settled, attempt, left } = race('one', 'two')
    await vi.advanceTimersByTimeAsync(250)
    expect(vi.getTimerCount()).toBe(0)
    attempt('two').fail(new Error('refused'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(settled).not.toHaveBeenCalled()
    attempt('one').win()
    expect(await winner).toBe('one it is')
    expect(left()).toBe(0)
  })

  it('needs no clock for a single candidate', async () => {
    const { winner, attempt, left } = race('one')
    expect(vi.getTimerCount()).toBe(0)
    attempt('one').win()
    expect(await winner).toBe('one it is')
    expect(left()).toBe(0)
  })

  it('reports the error of the preferred candidate, also where that fails last', async () => {
    const { winner, attempt, left } = race('one', 'two')
    await vi.advanceTimersByTimeAsync(250)
    const preferred = new Error('timed out')
    attempt('two').fail(new Error('refused'))
    await settle()
    attempt('one').fail(preferred)
    expect(await failureOf(winner)).toBe(preferred)
    expect(left()).toBe(0)
  })

  it('discards what comes through although another has won, and does not mind what fails then', async () => {
    const { winner, attempt, discarded } = race('one', 'two', 'three')
    await vi.advanceTimersByTimeAsync(500)
    attempt('two').win()
    attempt('one').win()
    expect(await winner).toBe('two it is')
    attempt('three').fail(new Error('cancelled'))
    await settle()
    expect(discarded).toEqual(['one it is'])
  })

  it('discards what comes through although the signal has aborted', async () => {
    const { winner, attempt, owner, discarded } = race('one', 'two')
    const reason = new Error('enough')
    owner.abort(reason)
    expect(await failureOf(winner)).toBe(reason)
    attempt('one').win()
    await settle()
    expect(discarded).toEqual(['one it is'])
  })

  it('cancels all attempts when the signal aborts, and starts no more', async () => {
    const { winner, owner, tried, cancelled, attempt, left } = race('one', 'two', 'three')
    await vi.advanceTimersByTimeAsync(250)
    const reason = new Error('enough')
    owner.abort(reason)
    expect(await failureOf(winner)).toBe(reason)
    expect(cancelled()).toEqual(['one', 'two'])
    attempt('one').fail(attempt('one').signal.reason)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(tried).toEqual(['one', 'two'])
    expect(left()).toBe(0)
  })

  it('starts nothing where the signal has aborted before', async () => {
    const reason = new Error('enough')
    const open = vi.fn<() => Promise<string>>()
    expect(await failureOf(firstOf(['one', 'two'], open, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(open).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leaves the winner alone when the signal aborts later', async () => {
    const { winner, owner, attempt } = race('one', 'two')
    attempt('one').win()
    await winner
    owner.abort()
    expect(attempt('one').signal.aborted).toBe(false)
  })

  it('takes an attempt that throws for one that fails', async () => {
    const open = (candidate: string): Promise<string> => {
      if (candidate === 'one') throw new Error('not even started')
      return Promise.resolve(candidate)
    }
    expect(await firstOf(['one', 'two'], open)).toBe('two')
    expect(await failureOf(firstOf(['one'], open))).toEqual(new Error('not even started'))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('fails where there is nothing to try', async () => {
    const { signal } = new AbortController()
    const winner = firstOf<string, never>([], () => expect.unreachable(), { signal })
    expect(await failureOf(winner)).toEqual(new RefusedError('general-failure', { message: 'there is nothing to try' }))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('tries one after the other where the delay is infinite', async () => {
    const owner = new AbortController()
    const open = vi.fn<() => Promise<string>>(() => new Promise(() => {}))
    const winner = failureOf(firstOf(['one', 'two'], open, { attemptDelay: Infinity, signal: owner.signal }))
    await vi.advanceTimersByTimeAsync(2 ** 40)
    expect(open).toHaveBeenCalledOnce()
    owner.abort(new Error('enough'))
    expect(await winner).toEqual(new Error('enough'))
  })
})

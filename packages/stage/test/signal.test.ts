import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { abortable, after, limitTime, never, onAbort, watchAbort } from '@it-socks/stage'

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length
const reason = new Error('enough')

describe('onAbort', () => {
  it('calls once, and leaves nothing behind', () => {
    const owner = new AbortController()
    const listener = vi.fn<() => void>()
    onAbort(owner.signal, listener)
    owner.abort()
    expect(listener).toHaveBeenCalledTimes(1)
    expect(listeners(owner.signal)).toBe(0)
  })

  it('calls at once where the signal has aborted', () => {
    const listener = vi.fn<() => void>()
    const release = onAbort(AbortSignal.abort(), listener)
    expect(listener).toHaveBeenCalledTimes(1)
    release()
  })

  it('takes its listener back', () => {
    const owner = new AbortController()
    const listener = vi.fn<() => void>()
    onAbort(owner.signal, listener)()
    expect(listeners(owner.signal)).toBe(0)
    owner.abort()
    expect(listener).not.toHaveBeenCalled()
  })

  it('hangs one listener on the signal for all, and tells all', () => {
    const owner = new AbortController()
    const told = Array.from({ length: 20 }, () => vi.fn<() => void>())
    const releases = told.map((listener) => onAbort(owner.signal, listener))
    expect(listeners(owner.signal)).toBe(1)
    releases[0]?.()
    owner.abort()
    expect(told.map(({ mock }) => mock.calls.length)).toEqual([0, ...told.slice(1).map(() => 1)])
    expect(listeners(owner.signal)).toBe(0)
  })

  it('hangs nothing on never', () => {
    onAbort(never, () => {})
    expect(listeners(never)).toBe(0)
  })
})

describe('abortable', () => {
  it('settles as the promise does, and takes its listener back', async () => {
    const { signal } = new AbortController()
    expect(await abortable(Promise.resolve(1), signal)).toBe(1)
    await expect(abortable(Promise.reject(reason), signal)).rejects.toBe(reason)
    expect(listeners(signal)).toBe(0)
  })

  it('rejects with the reason of the signal, whatever the promise does later', async () => {
    const owner = new AbortController()
    let fail!: (error: unknown) => void
    const promise = new Promise((_, reject) => {
      fail = reject
    })
    const outcome = abortable(promise, owner.signal)
    owner.abort(reason)
    await expect(outcome).rejects.toBe(reason)
    expect(listeners(owner.signal)).toBe(0)
    fail(new Error('too late to matter'))
  })

  it('rejects at once where the signal has aborted', async () => {
    await expect(abortable(new Promise(() => {}), AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  it('settles as the promise does where nobody can abort, and hangs nothing on never', async () => {
    const outcomes = [abortable(Promise.resolve(1), never), abortable(new Promise(() => {}), never)]
    expect(await outcomes[0]).toBe(1)
    expect(listeners(never)).toBe(0)
  })
})

describe('watchAbort', () => {
  it('serves one promise after another with one listener, and takes it back', async () => {
    const { signal } = new AbortController()
    const watch = watchAbort(signal)
    expect(await watch.race(Promise.resolve(1))).toBe(1)
    await expect(watch.race(Promise.reject(reason))).rejects.toBe(reason)
    expect(listeners(signal)).toBe(1)
    watch.release()
    expect(listeners(signal)).toBe(0)
  })

  it('rejects the race that is on, and those to come, with the reason of the signal', async () => {
    const owner = new AbortController()
    const watch = watchAbort(owner.signal)
    const racing = watch.race(new Promise(() => {}))
    owner.abort(reason)
    await expect(racing).rejects.toBe(reason)
    await expect(watch.race(new Promise(() => {}))).rejects.toBe(reason)
  })

  it('hangs nothing on never', async () => {
    const watch = watchAbort(never)
    expect(await watch.race(Promise.resolve(1))).toBe(1)
    expect(listeners(never)).toBe(0)
    watch.release()
  })
})

describe('time', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('after goes off when it is due, not before', () => {
    const act = vi.fn<() => void>()
    after(1000, act)
    vi.advanceTimersByTime(999)
    expect(act).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(act).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('after waits for longer than a timer of Node can', () => {
    const act = vi.fn<() => void>()
    const month = 30 * 24 * 60 * 60 * 1000
    after(month, act)
    vi.advanceTimersByTime(month - 1)
    expect(act).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(act).toHaveBeenCalledTimes(1)
  })

  it.each([1000, 2 ** 33])('after %i ms can be stopped', (milliseconds) => {
    const act = vi.fn<() => void>()
    const stop = after(milliseconds, act)
    vi.advanceTimersByTime(milliseconds / 2)
    stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(milliseconds)
    expect(act).not.toHaveBeenCalled()
  })

  it('after Infinity is never, without a timer', () => {
    after(Infinity, () => {})()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('limitTime aborts with its own error when time is up', () => {
    const { signal: outer } = new AbortController()
    const limit = limitTime(outer, 1000, () => reason)
    vi.advanceTimersByTime(999)
    expect(limit.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(limit.signal.reason).toBe(reason)
    expect(outer.aborted).toBe(false)
  })

  it('limitTime aborts with the outer signal', () => {
    const owner = new AbortController()
    const limit = limitTime(owner.signal, 1000, () => new Error('late'))
    owner.abort(reason)
    expect(limit.signal.reason).toBe(reason)
    limit.stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('limitTime leaves nothing behind once stopped, and then never aborts', () => {
    const owner = new AbortController()
    const limit = limitTime(owner.signal, 1000, () => reason)
    limit.stop()
    expect(vi.getTimerCount()).toBe(0)
    expect(listeners(owner.signal)).toBe(0)
    owner.abort()
    expect(limit.signal.aborted).toBe(false)
  })
})

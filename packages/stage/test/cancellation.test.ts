import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { cancellation, cancellationOf, cancellerOf, never } from '@it-socks/stage'

const reason = new Error('enough')

describe('a cancellation', () => {
  it('tells all who listen, once, and not those who were taken back', () => {
    const owner = cancellation()
    const [first, second, third] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()]
    const listeners = [first, second, third]
    for (const listener of listeners) owner.listen(listener)
    owner.forget(first)
    owner.forget(third)
    owner.abort(reason)
    owner.abort(new Error('again'))
    expect(listeners.map(({ mock }) => mock.calls.length)).toEqual([0, 1, 0])
    expect(owner).toMatchObject({ aborted: true, reason })
  })

  it('does not tell who is taken back by another that is told', () => {
    const owner = cancellation()
    const second = vi.fn<() => void>()
    owner.listen(() => owner.forget(second))
    owner.listen(second)
    owner.abort(reason)
    expect(second).not.toHaveBeenCalled()
  })

  it('is a signal for who asks, before or after it aborts', () => {
    const [before, after] = [cancellation(), cancellation()]
    const { signal } = before
    const heard = vi.fn<() => void>()
    signal.addEventListener('abort', heard)
    expect(signal.aborted).toBe(false)
    before.abort(reason)
    after.abort(reason)
    expect(heard).toHaveBeenCalledTimes(1)
    expect([signal.reason, after.signal.reason]).toEqual([reason, reason])
    expect(before.signal).toBe(signal)
  })
})

describe('the cancellation of a signal', () => {
  it('is the same for the same signal, which it gives back', () => {
    const { signal } = new AbortController()
    expect(cancellationOf(signal)).toBe(cancellationOf(signal))
    expect(cancellationOf(signal).signal).toBe(signal)
  })

  it('aborts with it, and hangs one listener on it for all', () => {
    const owner = new AbortController()
    const cancel = cancellationOf(owner.signal)
    const listeners = [vi.fn<() => void>(), vi.fn<() => void>()]
    for (const listener of listeners) cancel.listen(listener)
    expect(getEventListeners(owner.signal, 'abort')).toHaveLength(1)
    owner.abort(reason)
    expect(listeners.map(({ mock }) => mock.calls.length)).toEqual([1, 1])
    expect(cancel).toMatchObject({ aborted: true, reason })
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it('of nobody, or of never, is one that nothing is hung on', () => {
    const cancel = cancellationOf()
    expect(cancellationOf(never)).toBe(cancel)
    cancel.listen(() => {})
    expect(getEventListeners(never, 'abort')).toEqual([])
  })

  it('is the cancellation itself where it is one', () => {
    const owner = cancellation()
    expect(cancellationOf(owner)).toBe(owner)
  })
})

it('options that have a cancellation are not asked for their signal', () => {
  const owner = cancellation()
  const options = {
    cancellation: owner,
    get signal(): AbortSignal {
      throw new Error('nobody needs it')
    }
  }
  expect(cancellerOf(options)).toBe(owner)
  expect(cancellerOf({ signal: never })).toBe(cancellationOf())
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startIdleClock } from '../src/idle.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the idle clock', () => {
  it('expires once, when nothing has happened for its time', () => {
    const expire = vi.fn<() => void>()
    startIdleClock(1000, expire)
    vi.advanceTimersByTime(999)
    expect(expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(5000)
    expect(expire).toHaveBeenCalledOnce()
  })

  it('counts from the last touch, with one timer', () => {
    const expire = vi.fn<() => void>()
    const clock = startIdleClock(1000, expire)
    vi.advanceTimersByTime(600)
    clock.touch()
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(999)
    expect(expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(expire).toHaveBeenCalledOnce()
  })

  it('leaves no timer once it is stopped, also after it has waited again', () => {
    const clock = startIdleClock(1000, () => expect.unreachable())
    vi.advanceTimersByTime(500)
    clock.touch()
    vi.advanceTimersByTime(900)
    clock.stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not wake up every millisecond to see whether an infinite time has passed', () => {
    startIdleClock(Infinity, () => expect.unreachable())
    expect(vi.getTimerCount()).toBe(0)
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { after } from '@it-socks/stage'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('clocks of one span', () => {
  it('share one timer, and go off each in its time', () => {
    const told: string[] = []
    after(1000, () => told.push('first'))
    vi.advanceTimersByTime(10)
    after(1000, () => told.push('second'))
    vi.advanceTimersByTime(10)
    after(1000, () => told.push('third'))
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(980)
    expect(told).toEqual(['first'])
    vi.advanceTimersByTime(10)
    expect(told).toEqual(['first', 'second'])
    vi.advanceTimersByTime(10)
    expect(told).toEqual(['first', 'second', 'third'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('are stopped one by one: the timer goes with the last', () => {
    const act = vi.fn<() => void>()
    const stops = [after(1000, act), after(1000, act), after(1000, act)]
    stops[0]?.()
    stops[2]?.()
    expect(vi.getTimerCount()).toBe(1)
    stops[1]?.()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(2000)
    expect(act).not.toHaveBeenCalled()
  })

  it('may be stopped by one of them that goes off, also the very next', () => {
    const told: string[] = []
    let stop = (): void => {}
    after(1000, () => {
      told.push('first')
      stop()
    })
    stop = after(1000, () => told.push('second'))
    vi.advanceTimersByTime(1000)
    expect(told).toEqual(['first'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('may be started by one of them that goes off', () => {
    const told: number[] = []
    const again = (count: number) => (): void => {
      told.push(count)
      if (count < 3) after(1000, again(count + 1))
    }
    after(1000, again(1))
    vi.advanceTimersByTime(3000)
    expect(told).toEqual([1, 2, 3])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('stop twice to no effect on those that came later', () => {
    const act = vi.fn<() => void>()
    const stop = after(1000, () => {})
    stop()
    after(1000, act)
    stop()
    vi.advanceTimersByTime(1000)
    expect(act).toHaveBeenCalledTimes(1)
  })

  it('go off although one of them throws, which is an uncaught exception', async () => {
    const uncaught = new Promise((resolve) => {
      const [listener] = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      process.once('uncaughtException', (error) => {
        if (listener !== undefined) process.on('uncaughtException', listener)
        resolve(error)
      })
    })
    const act = vi.fn<() => void>()
    const error = new Error('a mistake')
    after(1000, () => {
      throw error
    })
    after(1000, act)
    vi.advanceTimersByTime(1000)
    expect(act).toHaveBeenCalledTimes(1)
    vi.useRealTimers()
    expect(await uncaught).toBe(error)
  })
})

it('clocks of different spans have a timer each', () => {
  const told: number[] = []
  for (const span of [3000, 1000, 2000]) after(span, () => told.push(span))
  expect(vi.getTimerCount()).toBe(3)
  vi.advanceTimersByTime(3000)
  expect(told).toEqual([1000, 2000, 3000])
})

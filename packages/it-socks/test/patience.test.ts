import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { patience } from '../src/udp/patience.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const start = () => {
  const clock = patience(100, () => new Error('over'))
  const over = vi.fn<(error: unknown) => void>()
  clock.over.catch(over)
  return { ...clock, over: () => over.mock.calls.length > 0 }
}

it('does not run out before it starts', async () => {
  const clock = start()
  clock.rewind()
  await vi.advanceTimersByTimeAsync(1000)
  expect(clock.over()).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
})

it('runs out when nobody winds it up again', async () => {
  const clock = start()
  clock.start()
  await vi.advanceTimersByTimeAsync(99)
  clock.rewind()
  await vi.advanceTimersByTimeAsync(99)
  expect(clock.over()).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(clock.over()).toBe(true)
})

it('leaves no timer when it is stopped', () => {
  const clock = start()
  clock.start()
  clock.rewind()
  clock.stop()
  expect(vi.getTimerCount()).toBe(0)
})

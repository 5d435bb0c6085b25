import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ClosedError, ConfigurationError } from '@it-socks/protocol'
import { join, tap, throttle, type Transform } from '@it-socks/relay'
import { never } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'
import { failureOf, flood, iterate, open, say } from './setup.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** When each chunk comes through, in milliseconds from now. */
const arrivals = async (transform: Transform, ...sizes: number[]): Promise<number[]> => {
  const start = performance.now()
  const times: number[] = []
  for await (const _ of transform(say(...sizes.map((size) => new Uint8Array(size))), never)) {
    times.push(performance.now() - start)
  }
  return times
}

/** Lets the clock run until a promise settles. */
const inVirtualTime = async <T>(promise: Promise<T>): Promise<T> => {
  const settled = vi.fn<() => void>()
  void promise.then(settled, settled)
  while (settled.mock.calls.length === 0) await vi.advanceTimersToNextTimerAsync()
  return promise
}

describe('throttle', () => {
  it('holds each chunk until those before it have had their time', async () => {
    const times = arrivals(throttle(1000), 100, 100, 300, 100, 1)
    expect(await inVirtualTime(times)).toEqual([0, 100, 200, 500, 600])
  })

  it('lets a chunk that is larger than the rate pass at once, and its successor wait for it', async () => {
    expect(await inVirtualTime(arrivals(throttle(10), 100, 1, 1))).toEqual([0, 10_000, 10_100])
  })

  it('stands alone, too: an ordinary transform, which needs no relay', async () => {
    const alone = async (): Promise<number> => {
      let length = 0
      for await (const bytes of throttle(1000)(say(new Uint8Array(100), new Uint8Array(100))))
        length += bytes.byteLength
      return length
    }
    expect(await inVirtualTime(alone())).toBe(200)
  })

  it('does not save up what was not used', async () => {
    const transform = throttle(1000)
    expect(await inVirtualTime(arrivals(transform, 100))).toEqual([0])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await inVirtualTime(arrivals(transform, 100, 100, 100))).toEqual([0, 100, 200])
  })

  it('is one rate for all that share it', async () => {
    const transform = throttle(1000)
    const [one, other] = [arrivals(transform, 100, 100, 100), arrivals(transform, 100, 100, 100)]
    const times = [await inVirtualTime(one), await inVirtualTime(other)].flat()
    expect(times.toSorted((a, b) => a - b)).toEqual([0, 100, 200, 300, 400, 500])
  })

  it('changes nothing but the time, and ends with its source', async () => {
    const heard: unknown[] = []
    for await (const bytes of throttle(Infinity)(say(hex`01`, hex`02 03`), never)) heard.push(bytes)
    expect(heard).toEqual([hex`01`, hex`02 03`])
  })

  it('waits its time, and not none, where that is longer than a timer can be', async () => {
    const times = arrivals(throttle(0.001), 10_000, 1)
    expect(await inVirtualTime(times)).toEqual([0, 10_000_000_000])
  })

  it.each([0, -1, Number.NaN, -Infinity])('refuses a rate of %d at once', (rate) => {
    expect(() => throttle(rate)).toThrow(ConfigurationError)
  })

  it('reads no more than the one chunk it holds', async () => {
    const { state, source } = flood(1000)
    const throttled = throttle(1)(source, never)[Symbol.asyncIterator]()
    await throttled.next()
    void throttled.next()
    await vi.advanceTimersByTimeAsync(1000)
    expect(state.said).toBe(2)
  })

  it('stops waiting when the relay breaks, also behind other transforms, and leaves no timer', async () => {
    const [client, near] = duplexPair()
    const [far, target] = duplexPair()
    const relayed = join(near, far, { up: [throttle(1), tap(() => {})] })
    void failureOf(client.sink(open(hex`01 02 03 04`, hex`05`)))
    const listening = iterate(target)
    expect((await listening.next()).value).toEqual(hex`01 02 03 04`)
    const next = failureOf(listening.next())
    await vi.advanceTimersByTimeAsync(1000)
    expect(vi.getTimerCount()).toBe(1)
    client.abort(new Error('enough'))
    // The client’s source is not being read just now: its sink is, by the target.
    expect(await failureOf(relayed)).toBeInstanceOf(ClosedError)
    expect(await next).toBeInstanceOf(ClosedError)
    expect(vi.getTimerCount()).toBe(0)
  })
})

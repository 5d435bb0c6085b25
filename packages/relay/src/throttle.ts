import { ConfigurationError } from '@it-socks/protocol'
import { after, never, watchAbort, type Bytes } from '@it-socks/stage'

/** A {@link Transform} that also does without a signal, outside of a relay. */
export type Throttle = (source: AsyncIterable<Bytes>, signal?: AbortSignal) => AsyncGenerator<Bytes, void>

/**
 * Lets at most `bytesPerSecond` pass on average, by holding each chunk until those before it have had their time. What
 * was not used is not saved up. Give each relay one of its own, or several the same one to share the rate.
 *
 * @throws {ConfigurationError} at once, for a rate that is not above zero
 *
 * @example
 *
 * ```ts
 * import { throttle, type RelayOptions } from '@it-socks/relay'
 *
 * const options: RelayOptions = { down: [throttle(1_000_000)] }
 * ```
 */
export const throttle = (bytesPerSecond: number): Throttle => {
  if (!(bytesPerSecond > 0)) throw new ConfigurationError('throttle needs a rate above zero')
  let free = 0
  return async function* (source, signal = never) {
    for await (const bytes of source) {
      const now = performance.now()
      const start = Math.max(now, free)
      free = start + (bytes.byteLength / bytesPerSecond) * 1000
      if (start > now) await wait(start - now, signal)
      yield bytes
    }
  }
}

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> => {
  const { race, release } = watchAbort(signal)
  let stop!: () => void
  const waited = new Promise<void>((resolve) => {
    stop = after(milliseconds, resolve)
  })
  return race(waited).finally(() => {
    stop()
    release()
  })
}

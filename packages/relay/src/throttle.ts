import { ConfigurationError } from '@it-socks/protocol'
import { after, onAbort } from '@it-socks/stage'
import type { Transform } from './join.ts'

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
export const throttle = (bytesPerSecond: number): Transform => {
  if (!(bytesPerSecond > 0)) throw new ConfigurationError('throttle needs a rate above zero')
  let free = 0
  return async function* (source, signal) {
    for await (const bytes of source) {
      const now = performance.now()
      const start = Math.max(now, free)
      free = start + (bytes.byteLength / bytesPerSecond) * 1000
      if (start > now) await wait(start - now, signal)
      yield bytes
    }
  }
}

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = after(milliseconds, () => {
      release()
      resolve()
    })
    const release = onAbort(signal, () => {
      stop()
      reject(signal.reason)
    })
  })

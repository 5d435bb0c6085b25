import { ClosedError, RefusedError, addressType } from '@it-socks/protocol'
import { after, never, onAbort } from '@it-socks/stage'

/**
 * Addresses of the two families in turns, starting with the family of the first (RFC 8305 section 4).
 *
 * @example
 *
 * ```ts
 * import { interleave } from '@it-socks/net'
 *
 * interleave(['::1', '::2', '192.0.2.1']) // => ['::1', '192.0.2.1', '::2']
 * ```
 */
export const interleave = (addresses: readonly string[]): string[] => {
  const first = addresses.filter((ip) => addressType(ip) === addressType(addresses[0]!))
  const second = addresses.filter((ip) => addressType(ip) !== addressType(addresses[0]!))
  return first.flatMap((ip, index) => [ip, ...second.slice(index, index + 1)]).concat(second.slice(first.length))
}

export interface FirstOfOptions<T> {
  /** How long one attempt may keep the next one waiting, in milliseconds (RFC 8305 section 5). Default: 250. */
  attemptDelay?: number
  /** Gives up: cancels all attempts. */
  signal?: AbortSignal
  /** Given what an attempt opened although it was cancelled: closes it. Default: attempts do not do that. */
  discard?: (late: T) => void
}

/**
 * Races attempts in the manner of RFC 8305 (happy eyeballs). They start in the order of the candidates, each when the one
 * before has failed or has had its time, and the first to come through wins; the losers' signals abort. The winner's
 * signal never does any more.
 *
 * The promise rejects with the error of the first candidate, the preferred one, where all fail, and with the signal's
 * reason at once.
 *
 * @example
 *
 * ```ts
 * import { dial, firstOf } from '@it-socks/net'
 *
 * const direct = dial()
 * const proxies = [{ host: '192.0.2.1', port: 1080 }, { host: '2001:db8::1', port: 1080 }]
 * const open = () =>
 *   firstOf(proxies, (proxy, { signal }) => direct(proxy, { signal }), {
 *     attemptDelay: 100,
 *     discard: (late) => late.abort?.(new Error('another was faster'))
 *   })
 * ```
 */
export const firstOf = <C, T>(
  candidates: readonly C[],
  open: (candidate: C, options: { signal: AbortSignal }) => Promise<T>,
  { attemptDelay = 250, signal = never, discard = () => {} }: FirstOfOptions<T> = {}
): Promise<T> =>
  new Promise((resolve, reject) => {
    if (candidates.length === 0) throw new RefusedError('general-failure', { message: 'there is nothing to try' })
    const pending = new Set<AbortController>()
    const failures: unknown[] = []
    let started = 0
    let decided = false
    let stopTimer = (): void => {}

    const decide = (reason: unknown): void => {
      decided = true
      stopTimer()
      release()
      for (const loser of pending) loser.abort(reason)
    }

    const attempt = (): void => {
      stopTimer()
      const place = started++
      const own = new AbortController()
      pending.add(own)
      if (started < candidates.length) stopTimer = after(attemptDelay, attempt)
      const opening = new Promise<T>((follow) => follow(open(candidates[place]!, { signal: own.signal })))
      opening.then(
        (opened) => {
          if (decided) return discard(opened)
          pending.delete(own)
          decide(new ClosedError('another attempt was faster'))
          return resolve(opened)
        },
        (error: unknown) => {
          pending.delete(own)
          if (decided) return
          failures[place] = error
          if (started < candidates.length) return attempt()
          if (pending.size > 0) return
          decide(error)
          reject(failures[0])
        }
      )
    }

    let release = (): void => {}
    release = onAbort(signal, () => {
      decide(signal.reason)
      reject(signal.reason)
    })
    if (!decided) attempt()
  })

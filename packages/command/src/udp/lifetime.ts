import { ClosedError } from '@it-socks/protocol'
import { letGo, onAbort, watchAbort, type Bytes, type ByteDuplex } from '@it-socks/stage'

/** How long an association lasts, as a duplex whose bytes say nothing: it ends when either side of it does. */
export interface Lifetime {
  /** Says nothing, ends with the association, and throws what broke it. */
  readonly source: AsyncIterable<Bytes>
  /** Reads the client's bytes away, and ends the association with them (RFC 1928 section 7). */
  readonly sink: ByteDuplex['sink']
  /** Breaks it off. */
  readonly abort: (reason: unknown) => void
  /** Aborts when it is over, in whatever way. */
  readonly signal: AbortSignal
}

const finished: IteratorResult<Bytes, void> = { done: true, value: undefined }

export const openLifetime = (): Lifetime => {
  const over = new ClosedError('the association is over')
  const controller = new AbortController()
  const { signal } = controller
  const end = (): void => controller.abort(over)
  const abort = (reason: unknown): void => controller.abort(reason)

  return {
    source: {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((resolve, reject) => {
            onAbort(signal, () => (signal.reason === over ? resolve(finished) : reject(signal.reason)))
          }),
        async return() {
          end()
          return finished
        }
      })
    },
    async sink(source) {
      const iterator = source[Symbol.asyncIterator]()
      const { race, release } = watchAbort(signal)
      try {
        while ((await race(iterator.next())).done !== true);
        end()
      } catch (error) {
        abort(error)
        // It may be waiting for the client still, and nobody waits for it.
        letGo(iterator)
        throw error
      } finally {
        release()
      }
    },
    abort,
    signal
  }
}

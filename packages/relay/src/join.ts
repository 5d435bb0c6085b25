import { IdleError } from '@it-socks/protocol'
import { never, onAbort, type Bytes, type ByteDuplex } from '@it-socks/stage'
import { startIdleClock } from './idle.ts'
import { meter } from './meter.ts'

/** Something that bytes go through on their way: `throttle`, `tap`, or one of your own. */
export type Transform = (source: AsyncIterable<Bytes>) => AsyncIterable<Bytes>

/** Bytes relayed so far: `up` from client to target, `down` from target to client. */
export interface Traffic {
  up: number
  down: number
}

export interface JoinOptions {
  /** What client bytes go through on their way to the target, in order. Default: nothing. */
  up?: readonly Transform[]
  /** What target bytes go through on their way to the client, in order. Default: nothing. */
  down?: readonly Transform[]
  /** How long nothing may go either way, in milliseconds, before both sides are reset. Default: `Infinity`. */
  idle?: number
  /** Where to count; may be looked at while the relay runs. Default: a new one. */
  traffic?: Traffic
  /** Resets both sides. */
  signal?: AbortSignal
}

/**
 * Joins two duplexes until both have ended. A half-close on one side travels to the other while the opposite direction
 * flows on; a reset resets the other side; a slow reader slows its writer. Resolves with the bytes that went each way.
 *
 * Throws what broke a side, an `IdleError`, or the signal's reason, after both sides have been aborted.
 *
 * @example
 *
 * ```ts
 * import { join } from '@it-socks/relay'
 * import { duplexPair } from '@it-socks/testing'
 *
 * const [client, near] = duplexPair()
 * const [far, target] = duplexPair()
 * const relayed = join(near, far)
 *
 * void target.sink(target.source) // a target that echoes
 * void client.sink((async function* () { yield Uint8Array.of(1, 2, 3) })())
 * for await (const bytes of client.source) {
 *   bytes.byteLength // => 3
 * }
 * await relayed // => { up: 3, down: 3 }
 * ```
 */
export const join = async (client: ByteDuplex, target: ByteDuplex, options: JoinOptions = {}): Promise<Traffic> => {
  const { up = [], down = [], idle = Infinity, traffic = { up: 0, down: 0 }, signal = never } = options
  const abort = (error: unknown): void => {
    client.abort?.(error)
    target.abort?.(error)
  }

  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown): void => {
      abort(error)
      reject(error)
    }
    const clock = startIdleClock(idle, () => fail(new IdleError(idle)))
    const release = onAbort(signal, () => fail(signal.reason))
    const metered = (source: AsyncIterable<Bytes>, direction: keyof Traffic): AsyncIterable<Bytes> =>
      meter(source, (length) => {
        traffic[direction] += length
        clock.touch()
      })
    const flows = [
      target.sink(through(metered(client.source, 'up'), up)),
      client.sink(through(metered(target.source, 'down'), down))
    ]
    Promise.all(flows)
      .then(() => resolve(), fail)
      .finally(() => {
        clock.stop()
        release()
      })
  })
  return traffic
}

const through = (source: AsyncIterable<Bytes>, transforms: readonly Transform[]): AsyncIterable<Bytes> =>
  transforms.reduce((piped, transform) => transform(piped), source)

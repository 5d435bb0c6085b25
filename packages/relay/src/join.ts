import { IdleError } from '@it-socks/protocol'
import { never, onAbort, type Bytes, type ByteDuplex, type Tunnel } from '@it-socks/stage'
import { startIdleClock } from './idle.ts'
import { meter } from './meter.ts'

/**
 * Something that bytes go through on their way: `throttle`, `tap`, or one of your own. One that waits for anything but
 * its source stops waiting when `signal` aborts: the relay has failed. Where it throws, both sides are reset.
 */
export type Transform = (source: AsyncIterable<Bytes>, signal: AbortSignal) => AsyncIterable<Bytes>

/** Bytes taken so far, each to be handed on: `up` from the client for the target, `down` from the target for the client. */
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
export const join = async (client: ByteDuplex, target: Tunnel, options: JoinOptions = {}): Promise<Traffic> => {
  const { up = [], down = [], idle = Infinity, traffic = { up: 0, down: 0 }, signal = never } = options
  // Only transforms ask for it, and it costs more than all the rest here.
  const failed = up.length + down.length > 0 ? new AbortController() : undefined
  const abort = (error: unknown): void => {
    client.abort?.(error)
    target.abort?.(error)
    failed?.abort(error)
  }
  if (signal.aborted) {
    abort(signal.reason)
    throw signal.reason
  }

  await new Promise<void>((resolve, reject) => {
    const release = (): void => {
      clock.stop()
      forget()
    }
    const succeed = (): void => {
      release()
      resolve()
    }
    const fail = (error: unknown): void => {
      release()
      abort(error)
      reject(error)
    }
    const clock = startIdleClock(idle, () => fail(new IdleError(idle)))
    const forget = onAbort(signal, () => fail(signal.reason))
    const passed = (direction: keyof Traffic, length: number): void => {
      traffic[direction] += length
      clock.touch()
    }
    const metered = (source: AsyncIterable<Bytes>, direction: keyof Traffic): AsyncIterable<Bytes> =>
      meter(source, (length) => passed(direction, length))
    target.datagrams?.watch(passed)
    /** A slow transform is not an idle relay. */
    const transformed = (source: AsyncIterable<Bytes>, transforms: readonly Transform[]): AsyncIterable<Bytes> =>
      transforms.length === 0
        ? source
        : meter(through(source, transforms, failed?.signal ?? never), () => clock.touch())
    // Async, so that a transform that throws before it has made a source fails the relay like any other.
    const flow = async (from: ByteDuplex, direction: keyof Traffic, transforms: readonly Transform[], to: ByteDuplex) =>
      to.sink(transformed(metered(from.source, direction), transforms))

    Promise.all([flow(client, 'up', up, target), flow(target, 'down', down, client)]).then(succeed, fail)
  })
  return traffic
}

const through = (
  source: AsyncIterable<Bytes>,
  transforms: readonly Transform[],
  signal: AbortSignal
): AsyncIterable<Bytes> => transforms.reduce((piped, transform) => transform(piped, signal), source)

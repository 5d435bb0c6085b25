import { IdleError } from '@it-socks/protocol'
import { cancellationOf, keepSpecimens, transportOf } from '@it-socks/stage'
import type { Bytes, ByteDuplex, Cancellation, Flow, Signal, Transport, Tunnel } from '@it-socks/stage'
import { startIdleClock, type IdleClock } from './idle.ts'
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

/**
 * A way to join two transports without iterators, and to say by `flow` what becomes of it. Returns whether it knows how to
 * with these two: where not, nothing has happened.
 */
export type JoinTransports = (client: Transport, target: Transport, flow: Flow) => boolean

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
  signal?: Signal
  /**
   * How bytes go from one side to the other where nothing is done to them and both sides have a transport: `iterators` is
   * as for all others; `auto` is what the transports themselves know; what else is given comes first.
   * Default: `auto`.
   */
  engine?: 'auto' | 'iterators' | JoinTransports
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
export const join = (client: ByteDuplex, target: Tunnel, options: JoinOptions = {}): Promise<Traffic> =>
  new Promise((resolve, reject) => {
    startRelay(cancellationOf(options.signal), client, target, options, { resolve, reject })
  })

/** The same, but for what it is cancelled by, and who is told how it ends. */
export const startRelay = (
  cancellation: Cancellation,
  client: ByteDuplex,
  target: Tunnel,
  options: Omit<JoinOptions, 'signal'>,
  outcome: Outcome
): void => {
  const { traffic = { up: 0, down: 0 } } = options
  const relay = new Relay(client, target, traffic, cancellation, outcome)
  try {
    relay.start(options)
  } catch (error) {
    relay.failed(error)
  }
}

interface Outcome {
  readonly resolve: (traffic: Traffic) => void
  readonly reject: (error: unknown) => void
}

const nothing: readonly Transform[] = []

/** There is one of these for each relay, idle or not: it has no more than it needs. */
class Relay implements Flow {
  readonly #client: ByteDuplex
  readonly #target: Tunnel
  readonly #traffic: Traffic
  readonly #outcome: Outcome
  readonly #cancellation: Cancellation
  readonly #cancelled = (): void => this.failed(this.#cancellation.reason)
  #clock: IdleClock | undefined = undefined
  /** Only transforms ask for it. */
  #failed: AbortController | undefined = undefined
  #over = false

  constructor(client: ByteDuplex, target: Tunnel, traffic: Traffic, cancellation: Cancellation, outcome: Outcome) {
    this.#client = client
    this.#target = target
    this.#traffic = traffic
    this.#cancellation = cancellation
    this.#outcome = outcome
  }

  start({ up = nothing, down = nothing, idle = Infinity, engine = 'auto' }: Omit<JoinOptions, 'signal'>): void {
    if (this.#cancellation.aborted) return this.#cancelled()
    this.#cancellation.listen(this.#cancelled)
    if (idle !== Infinity) this.#clock = startIdleClock(idle, () => this.failed(new IdleError(idle)))
    this.#target.datagrams?.watch((direction, length) => this.passed(direction, length))
    if (up.length + down.length > 0) this.#failed = new AbortController()
    else if (this.#goesByTransport(engine)) return
    Promise.all([
      this.#flow(this.#client, 'up', up, this.#target),
      this.#flow(this.#target, 'down', down, this.#client)
    ]).then(
      () => this.ended(),
      (error: unknown) => this.failed(error)
    )
  }

  passed(direction: keyof Traffic, length: number): void {
    this.#traffic[direction] += length
    this.#clock?.touch()
  }

  ended(): void {
    if (this.#over) return
    this.#release()
    this.#outcome.resolve(this.#traffic)
  }

  failed(error: unknown): void {
    if (this.#over) return
    this.#release()
    this.#client.abort?.(error)
    this.#target.abort?.(error)
    this.#failed?.abort(error)
    this.#outcome.reject(error)
  }

  #release(): void {
    this.#over = true
    this.#clock?.stop()
    this.#cancellation.forget(this.#cancelled)
  }

  #goesByTransport(engine: NonNullable<JoinOptions['engine']>): boolean {
    if (engine === 'iterators') return false
    const client = transportOf(this.#client)
    const target = transportOf(this.#target)
    if (client === undefined || target === undefined) return false
    return (engine !== 'auto' && engine(client, target, this)) || client.join(target, this)
  }

  // Async, so that a transform that throws before it has made a source fails the relay like any other.
  async #flow(from: ByteDuplex, direction: keyof Traffic, by: readonly Transform[], to: ByteDuplex): Promise<void> {
    const metered = meter(from.source, (length) => this.passed(direction, length))
    return to.sink(by.length === 0 ? metered : this.#through(metered, by))
  }

  #through(source: AsyncIterable<Bytes>, transforms: readonly Transform[]): AsyncIterable<Bytes> {
    const signal = this.#failed!.signal
    const transformed = transforms.reduce((piped, transform) => transform(piped, signal), source)
    // A slow transform is not an idle relay.
    return meter(transformed, () => this.#clock?.touch())
  }
}

const nobody = {} as ByteDuplex
keepSpecimens(new Relay(nobody, nobody, { up: 0, down: 0 }, cancellationOf(), { resolve() {}, reject() {} }))

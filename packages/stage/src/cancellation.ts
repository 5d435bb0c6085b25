import { attempt } from './attempt.ts'
import { keepSpecimens } from './specimens.ts'

/**
 * What a pipeline is cancelled by: an `AbortSignal`, but that one is made only for who asks for it. (On Node 20 a controller
 * takes 3 µs and 760 bytes, and each connection would need several.)
 */
export interface Cancellation {
  readonly aborted: boolean
  readonly reason: unknown
  /** The same as a signal, for all that takes one. */
  readonly signal: AbortSignal
  /** Has `listener` called once when it aborts; it has not yet. */
  listen(listener: () => void): void
  /** Takes a listener back. */
  forget(listener: () => void): void
}

/** A cancellation, and the way to cancel. */
export interface Canceller extends Cancellation {
  /** Aborts, unless it has already. */
  abort(reason: unknown): void
}

/** Either form: what waits for an abort takes both. */
export type Signal = AbortSignal | Cancellation

/** The signal of whoever has no way to abort. */
export const never: AbortSignal = new AbortController().signal

/** Makes its `AbortSignal` when somebody asks for it. */
export class LazySignal implements Canceller {
  aborted = false
  reason: unknown = undefined
  /** Most have one or two, and a set is dear. */
  #listener: (() => void) | undefined = undefined
  #second: (() => void) | undefined = undefined
  #others: Set<() => void> | undefined = undefined
  #controller: AbortController | undefined = undefined

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.aborted) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }

  listen(listener: () => void): void {
    if (this.#listener === undefined) this.#listener = listener
    else if (this.#second === undefined) this.#second = listener
    else (this.#others ??= new Set()).add(listener)
  }

  forget(listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined
    else if (this.#second === listener) this.#second = undefined
    else this.#others?.delete(listener)
  }

  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.#controller?.abort(reason)
    for (;;) {
      const listener = this.#listener ?? this.#second ?? this.#others?.values().next().value
      if (listener === undefined) return
      // One by one: who is told may take back who is not told yet.
      this.forget(listener)
      attempt(listener)
    }
  }
}

keepSpecimens(new LazySignal())

/**
 * Makes a cancellation.
 *
 * @example
 *
 * ```ts
 * import { cancellation } from '@it-socks/stage'
 *
 * const owner = cancellation()
 * const { signal } = owner
 * owner.abort(new Error('enough'))
 * signal.aborted // => true
 * ```
 */
export const cancellation = (): Canceller => new LazySignal()

/** An `AbortSignal` in the other form. However many listen, the signal has one event listener, and none when nobody does. */
class Adopted implements Cancellation {
  readonly signal: AbortSignal
  readonly #listeners = new Set<() => void>()
  readonly #tell = (): void => {
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener)
      attempt(listener)
    }
  }

  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  get aborted(): boolean {
    return this.signal.aborted
  }

  get reason(): unknown {
    return this.signal.reason
  }

  listen(listener: () => void): void {
    if (this.#listeners.size === 0) this.signal.addEventListener('abort', this.#tell, { once: true })
    this.#listeners.add(listener)
  }

  forget(listener: () => void): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) {
      this.signal.removeEventListener('abort', this.#tell)
    }
  }
}

/** Nothing is ever hung on `never`, which is one object for all. */
const uncancellable: Cancellation = {
  aborted: false,
  reason: undefined,
  signal: never,
  listen: () => {},
  forget: () => {}
}

const adopted = new WeakMap<AbortSignal, Cancellation>([[never, uncancellable]])

/** Whatever somebody can be cancelled by; by default nobody can. */
export const cancellationOf = (signal: Signal = never): Cancellation => {
  if ('listen' in signal) return signal
  let known = adopted.get(signal)
  if (known === undefined) adopted.set(signal, (known = new Adopted(signal)))
  return known
}

import { LazySignal, cancellationOf, type Cancellation, type Signal } from './cancellation.ts'
import { Alarm } from './clock.ts'
import { keepSpecimens } from './specimens.ts'

/**
 * Calls `listener` once when `signal` aborts, at once if it already has; returns what takes the listener back.
 */
export const onAbort = (signal: Signal, listener: () => void): (() => void) => {
  const cancel = cancellationOf(signal)
  if (cancel.aborted) listener()
  else cancel.listen(listener)
  return () => cancel.forget(listener)
}

/** Listens for an abort while one promise after another is waited for. */
export interface AbortWatch {
  /** Settles as `promise` does, unless the signal aborts first: then it rejects with the signal's reason. */
  readonly race: <T>(promise: Promise<T>) => Promise<T>
  /** Stops listening. */
  readonly release: () => void
}

const unwatched: AbortWatch = { race: (promise) => promise, release: () => {} }

/** Starts listening. One listener serves any number of races, one at a time. */
export const watchAbort = (signal: Signal): AbortWatch => {
  const cancel = cancellationOf(signal)
  if (cancel === cancellationOf()) return unwatched
  let lose = (_reason: unknown): void => {}
  const lost = (): void => lose(cancel.reason)
  if (!cancel.aborted) cancel.listen(lost)
  return {
    race: (promise) =>
      new Promise((resolve, reject) => {
        lose = reject
        promise.then(resolve, reject)
        if (cancel.aborted) reject(cancel.reason)
      }),
    release: () => cancel.forget(lost)
  }
}

/**
 * Settles as `promise` does, unless `signal` aborts first: then it rejects with the signal's reason. What the promise
 * does afterwards is nobody's business any more.
 */
export const abortable = <T>(promise: Promise<T>, signal: Signal): Promise<T> => {
  const watch = watchAbort(signal)
  return watch === unwatched ? promise : watch.race(promise).finally(watch.release)
}

/** A cancellation with a time limit. */
export interface TimeLimit {
  /** Aborts with the outer signal, or when time is up. */
  readonly cancellation: Cancellation
  /** The outer signal. */
  readonly outer: Cancellation
  /** The same as a signal. */
  readonly signal: AbortSignal
  /** Stops the clock. What has not aborted by now never will. */
  stop(): void
}

class Limit extends LazySignal implements TimeLimit {
  readonly outer: Cancellation
  readonly #follow = (): void => this.abort(this.outer.reason)
  readonly #alarm: Alarm

  constructor(outer: Cancellation, milliseconds: number, expired: () => Error) {
    super()
    this.outer = outer
    this.#alarm = new Alarm(milliseconds, () => this.abort(expired()))
    if (outer.aborted) this.#follow()
    else outer.listen(this.#follow)
  }

  get cancellation(): Cancellation {
    return this
  }

  stop(): void {
    this.#alarm.stop()
    this.outer.forget(this.#follow)
  }
}

/** What has no limit. */
class Endless implements TimeLimit {
  readonly outer: Cancellation

  constructor(outer: Cancellation) {
    this.outer = outer
  }

  get cancellation(): Cancellation {
    return this.outer
  }

  get signal(): AbortSignal {
    return this.outer.signal
  }

  stop(): void {}
}

keepSpecimens(new Limit(cancellationOf(), Infinity, () => new Error()), new Endless(cancellationOf()))

/** As `AbortSignal.any([outer, AbortSignal.timeout(milliseconds)])`, but leaves nothing behind once stopped. */
export const limitTime = (outer: Signal, milliseconds: number, expired: () => Error): TimeLimit =>
  milliseconds === Infinity
    ? new Endless(cancellationOf(outer))
    : new Limit(cancellationOf(outer), milliseconds, expired)

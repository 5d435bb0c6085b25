import { cancellation, cancellationOf, type Cancellation, type Signal } from './cancellation.ts'
import { after } from './clock.ts'

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
  /** The same as a signal. */
  readonly signal: AbortSignal
  /** Stops the clock. What has not aborted by now never will. */
  readonly stop: () => void
}

class Limit implements TimeLimit {
  readonly cancellation: Cancellation
  readonly stop: () => void

  constructor(cancellation: Cancellation, stop: () => void) {
    this.cancellation = cancellation
    this.stop = stop
  }

  get signal(): AbortSignal {
    return this.cancellation.signal
  }
}

/** As `AbortSignal.any([outer, AbortSignal.timeout(milliseconds)])`, but leaves nothing behind once stopped. */
export const limitTime = (outer: Signal, milliseconds: number, expired: () => Error): TimeLimit => {
  const above = cancellationOf(outer)
  if (milliseconds === Infinity) return new Limit(above, () => {})
  const own = cancellation()
  const stopClock = after(milliseconds, () => own.abort(expired()))
  const follow = (): void => own.abort(above.reason)
  if (above.aborted) follow()
  else above.listen(follow)
  return new Limit(own, () => {
    stopClock()
    above.forget(follow)
  })
}

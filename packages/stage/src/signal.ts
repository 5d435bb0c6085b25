/** The signal of whoever has no way to abort. */
export const never: AbortSignal = new AbortController().signal

/** Who waits for a signal of many: one event listener on it serves all. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

const waitersOf = (signal: AbortSignal): Set<() => void> => {
  const known = waiting.get(signal)
  if (known !== undefined) return known
  const waiters = new Set<() => void>()
  waiting.set(signal, waiters)
  return waiters
}

function tellWaiters(this: AbortSignal): void {
  for (const listener of waitersOf(this)) listener()
}

/**
 * Calls `listener` once when `signal` aborts, at once if it already has; returns what takes the listener back. However
 * many listen, the signal has one event listener, and none when nobody does. `never` is one object for all, so nothing
 * is ever hung on it.
 */
export const onAbort = (signal: AbortSignal, listener: () => void): (() => void) => {
  if (signal === never) return () => {}
  if (signal.aborted) {
    listener()
    return () => {}
  }
  const waiters = waitersOf(signal)
  if (waiters.size === 0) signal.addEventListener('abort', tellWaiters, { once: true })
  waiters.add(listener)
  return () => {
    if (waiters.delete(listener) && waiters.size === 0) signal.removeEventListener('abort', tellWaiters)
  }
}

/** Listens for an abort while one promise after another is waited for. */
export interface AbortWatch {
  /** Settles as `promise` does, unless the signal aborts first: then it rejects with the signal's reason. */
  readonly race: <T>(promise: Promise<T>) => Promise<T>
  /** Stops listening. */
  readonly release: () => void
}

/** Starts listening. One listener serves any number of races, one at a time. */
export const watchAbort = (signal: AbortSignal): AbortWatch => {
  if (signal === never) return { race: (promise) => promise, release: () => {} }
  let lose = (_reason: unknown): void => {}
  const release = onAbort(signal, () => lose(signal.reason))
  const race = <T>(promise: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      lose = reject
      promise.then(resolve, reject)
      if (signal.aborted) reject(signal.reason)
    })
  return { race, release }
}

/**
 * Settles as `promise` does, unless `signal` aborts first: then it rejects with the signal's reason. What the promise
 * does afterwards is nobody's business any more.
 */
export const abortable = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  if (signal === never) return promise
  const { race, release } = watchAbort(signal)
  return race(promise).finally(release)
}

/** Node lets a timer of more milliseconds than this go off at once. */
const longestTimer = 2 ** 31 - 1

/** Calls `act` after so many milliseconds, however many: `Infinity` is never. Returns what stops the clock. */
export const after = (milliseconds: number, act: () => void): (() => void) => {
  if (milliseconds === Infinity) return () => {}
  let timer: ReturnType<typeof setTimeout>
  const wait = (left: number): void => {
    timer = setTimeout(() => (left > longestTimer ? wait(left - longestTimer) : act()), Math.min(left, longestTimer))
  }
  wait(milliseconds)
  return () => clearTimeout(timer)
}

/** A signal with a time limit. */
export interface TimeLimit {
  /** Aborts with the outer signal, or when time is up. */
  readonly signal: AbortSignal
  /** Stops the clock. What has not aborted by now never will. */
  readonly stop: () => void
}

/** As `AbortSignal.any([outer, AbortSignal.timeout(milliseconds)])`, but leaves nothing behind once stopped. */
export const limitTime = (outer: AbortSignal, milliseconds: number, expired: () => Error): TimeLimit => {
  if (milliseconds === Infinity) return { signal: outer, stop: () => {} }
  const controller = new AbortController()
  const stopClock = after(milliseconds, () => controller.abort(expired()))
  const release = onAbort(outer, () => controller.abort(outer.reason))
  return {
    signal: controller.signal,
    stop() {
      stopClock()
      release()
    }
  }
}

/** Runs tasks one at a time, in the order in which they come. */
export type Queue = <T>(task: () => Promise<T>, options: { signal: AbortSignal }) => Promise<T>

/**
 * Makes a queue in which at most `limit` tasks wait; one more rejects at once. A task whose signal has aborted by the
 * time of its turn does not run: it rejects with the signal's reason.
 */
export const oneAtATime = (limit: number): Queue => {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return (task, { signal }) => {
    if (waiting >= limit) return Promise.reject(new Error(`too many are waiting already: ${limit}`))
    waiting++
    const turn = last.then(() => {
      waiting--
      signal.throwIfAborted()
      return task()
    })
    // How one task ends is nothing to the next.
    last = turn.catch(() => {})
    return turn
  }
}

import { after } from '@it-socks/stage'

/** A clock that runs out unless it is wound up again. */
export interface Patience {
  /** Rejects when it has run out; never resolves. */
  readonly over: Promise<never>
  /** Starts the clock. */
  start(): void
  /** Gives it its whole time again, where it runs. */
  rewind(): void
  stop(): void
}

/** @param makeError what it runs out with */
export const patience = (milliseconds: number, makeError: () => Error): Patience => {
  let fail: (error: Error) => void
  let stop: (() => void) | undefined
  const over = new Promise<never>((_, reject) => {
    fail = reject
  })
  const start = (): void => {
    stop = after(milliseconds, () => fail(makeError()))
  }
  return {
    over,
    start,
    rewind() {
      if (stop === undefined) return
      stop()
      start()
    },
    stop: () => stop?.()
  }
}

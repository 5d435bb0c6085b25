import { after } from '@it-socks/stage'

/** Notices when nothing has happened for a while. */
export interface IdleClock {
  /** Something happened. */
  touch(): void
  stop(): void
}

/** Calls `expire` once, when `touch` has not been called for so many milliseconds. One timer, not one for each touch. */
export const startIdleClock = (milliseconds: number, expire: () => void): IdleClock => {
  let touched = performance.now()
  let stop: () => void
  const check = (): void => {
    const left = touched + milliseconds - performance.now()
    if (left <= 0) expire()
    else stop = after(left, check)
  }
  stop = after(milliseconds, check)
  return {
    touch() {
      touched = performance.now()
    },
    stop: () => stop()
  }
}

/** Notices when nothing has happened for a while. */
export interface IdleClock {
  /** Something happened. */
  touch(): void
  stop(): void
}

/** Calls `expire` once, when `touch` has not been called for so many milliseconds. One timer, not one for each touch. */
export const startIdleClock = (milliseconds: number, expire: () => void): IdleClock => {
  let touched = performance.now()
  const check = (): void => {
    const left = touched + milliseconds - performance.now()
    if (left <= 0) expire()
    else timer = setTimeout(check, left)
  }
  let timer = setTimeout(check, milliseconds)
  return {
    touch() {
      touched = performance.now()
    },
    stop() {
      clearTimeout(timer)
    }
  }
}

/** The clock of whoever may be idle for ever. */
export const noIdleClock: IdleClock = { touch() {}, stop() {} }

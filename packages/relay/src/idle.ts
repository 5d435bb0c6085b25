import { after, keepSpecimens } from '@it-socks/stage'

/** Notices when nothing has happened for a while. */
export interface IdleClock {
  /** Something happened. */
  touch(): void
  stop(): void
}

/** From here on a clock is wound in whole steps, so that those of many relays go off by few timers. */
const coarse = 10_000
const step = 1000

/** Calls `expire` once, when `touch` has not been called for so many milliseconds; a long time may be a second longer. */
export const startIdleClock = (milliseconds: number, expire: () => void): IdleClock => new Clock(milliseconds, expire)

class Clock implements IdleClock {
  readonly #milliseconds: number
  readonly #expire: () => void
  readonly #check = (): void => {
    const left = this.#touched + this.#milliseconds - performance.now()
    if (left <= 0) this.#expire()
    else this.stop = after(this.#milliseconds < coarse ? left : Math.ceil(left / step) * step, this.#check)
  }
  #touched = performance.now()
  stop: () => void

  constructor(milliseconds: number, expire: () => void) {
    this.#milliseconds = milliseconds
    this.#expire = expire
    this.stop = after(milliseconds, this.#check)
  }

  touch(): void {
    this.#touched = performance.now()
  }
}

const specimen = new Clock(1, () => {})
specimen.stop()
keepSpecimens(specimen)

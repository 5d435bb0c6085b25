import { Echo, Pinger } from './echo.ts'
import type { Poller } from './poller.ts'
import { target } from './socket.ts'
import { openTunnel } from './tunnel.ts'

const atOnce = 100
const length = 64

/** Relays that stay open and do nothing. */
export interface Crowd {
  readonly size: number
  /** Opens more, until there are so many. */
  grow(size: number): void
  /** Uses each once: 64 bytes each way. */
  use(): void
  /** Closes all of them, and waits for the targets' ends. */
  leave(): void
}

export const gather = (poller: Poller, proxy: number): Crowd => {
  const pingers: Pinger[] = []
  let answered = 0
  let closed = 0
  const close = (): void => {
    closed += 1
  }
  const port = target(poller, (fd) => new Echo(poller, fd, close))
  const told = {
    answered() {
      answered += 1
    },
    closed: close
  }
  return {
    get size() {
      return pingers.length
    },
    grow(size) {
      let asked = pingers.length
      const next = (): void => {
        if (asked === size) return
        asked += 1
        openTunnel(poller, proxy, port, (fd) => {
          const pinger = new Pinger(poller, fd, length, pingers.length * 131, told)
          pingers.push(pinger)
          next()
          return pinger
        })
      }
      for (let index = 0; index < atOnce; index++) next()
      poller.run(() => pingers.length === size)
    },
    use() {
      answered = 0
      let asked = 0
      const next = (): void => {
        pingers[asked++]?.ping()
      }
      const all = pingers.length
      let seen = 0
      while (asked < Math.min(atOnce, all)) next()
      poller.run(() => {
        for (; seen < answered; seen++) next()
        return answered === all
      })
    },
    leave() {
      closed = 0
      for (const pinger of pingers) pinger.end()
      poller.run(() => closed === 2 * pingers.length)
      pingers.length = 0
    }
  }
}

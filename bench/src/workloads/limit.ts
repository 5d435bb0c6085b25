import { Echo, Pinger } from '../load/echo.ts'
import { patient } from '../load/patient.ts'
import { withPoller, type Poller } from '../load/poller.ts'
import { target } from '../load/socket.ts'
import { openTunnel } from '../load/tunnel.ts'
import { measure } from './measure.ts'
import type { Workload } from './workload.ts'

const descriptors = 1024
const atOnce = 20
/** How long nothing may change before it counts as an end, in milliseconds. */
const patience = 1000

interface Limited {
  /** The relays that are open and have said nothing to the contrary. */
  readonly open: Set<Pinger>
  /** Clients that were neither let in nor sent away. */
  waiting(): number
  /** Has more clients come, until `most` have been let in, or no more are. */
  come(most: number): void
  /** How many of the relays still carry bytes. */
  use(): number
}

const limited = (poller: Poller, proxy: number): Limited => {
  const open = new Set<Pinger>()
  const pending = new Set<number>()
  let answered = 0
  const port = target(poller, (fd) => {
    const echo = new Echo(poller, fd)
    return patient(echo, () => poller.drop(fd))
  })
  const connect = (done: () => void): void => {
    let pinger: Pinger | undefined
    const fd = openTunnel(
      poller,
      proxy,
      port,
      (fd) => {
        const told = {
          answered() {
            answered += 1
          }
        }
        pinger = new Pinger(poller, fd, 64, fd * 131, told)
        pending.delete(fd)
        open.add(pinger)
        done()
        return patient(pinger, () => leave())
      },
      () => {
        leave()
        done()
      }
    )
    const leave = (): void => {
      pending.delete(fd)
      if (pinger !== undefined) open.delete(pinger)
      poller.drop(fd)
    }
    pending.add(fd)
  }
  return {
    open,
    waiting: () => pending.size,
    come(most) {
      let asked = 0
      let refused = 0
      const next = (): void => {
        if (open.size >= most || refused >= atOnce) return
        const before = open.size
        asked += 1
        connect(() => {
          asked -= 1
          if (open.size === before) refused += 1
          else refused = 0
          next()
        })
      }
      for (let index = 0; index < atOnce; index++) next()
      let isQuiet = false
      poller.run(
        () => asked === 0 || open.size >= most || isQuiet,
        patience,
        () => {
          isQuiet = true
        }
      )
    },
    use() {
      answered = 0
      for (const pinger of open) pinger.ping()
      const all = open.size
      let isQuiet = false
      poller.run(
        () => answered === all || isQuiet,
        patience,
        () => {
          isQuiet = true
        }
      )
      return answered
    }
  }
}

/** What happens when a proxy has no descriptors left. */
export const limit: Workload = {
  name: 'limit',
  title: `descriptors: a proxy that may have ${descriptors}, when more clients come than it can serve`,
  onRequest: true,
  fresh: 1,
  descriptors,
  metrics: [
    { name: 'held', unit: 'relays held', better: 'more' },
    { name: 'busy', unit: 'CPU s/s when full', better: 'less' },
    { name: 'alive', unit: '% that go on', better: 'more' },
    { name: 'recovered', unit: '% let in again', better: 'more' }
  ],
  run: ({ proxy, pid }) =>
    withPoller((poller) => {
      const relays = limited(poller, proxy)
      relays.come(descriptors)
      const held = relays.open.size
      const { cpu, seconds } = measure(pid, () => poller.wait(2000))
      const alive = relays.use()
      // A tenth makes room, for those who wait and for others.
      const room = Math.floor(held / 10)
      for (const pinger of [...relays.open].slice(0, room)) {
        relays.open.delete(pinger)
        poller.drop(pinger.fd)
      }
      poller.wait(500)
      relays.come(held)
      return {
        held,
        busy: cpu / seconds,
        alive: Math.min(alive / held, 1) * 100,
        recovered: (Math.min(relays.open.size - (held - room), room) / room) * 100
      }
    })
}

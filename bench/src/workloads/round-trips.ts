import { Echo, Pinger } from '../load/echo.ts'
import { withPoller } from '../load/poller.ts'
import { target } from '../load/socket.ts'
import { openTunnel } from '../load/tunnel.ts'
import { quantile } from '../report/statistics.ts'
import { measure } from './measure.ts'
import type { Workload } from './workload.ts'

const length = 64

/** 64 bytes each way, again and again, on so many open connections. */
const roundTrips = (connections: number, roundTrips: number): Workload => ({
  name: `rr${connections}`,
  group: 'rr',
  title: `round trips: 64 bytes each way, again and again, on ${connections} open connection${connections === 1 ? '' : 's'}`,
  compared: 'cpu',
  metrics: [
    { name: 'cpu', unit: 'µs CPU/round trip', better: 'less' },
    { name: 'rate', unit: 'round trips/s', better: 'more' },
    { name: 'p50', unit: 'µs, median', better: 'less' },
    { name: 'p99', unit: 'µs, 99%', better: 'less' },
    { name: 'load', unit: 'load busy', better: 'less' }
  ],
  run: ({ proxy, pid, scale }) =>
    withPoller((poller) => {
      const count = Math.max(connections, Math.round(roundTrips * scale))
      const latencies = new Float64Array(count)
      const starts = new Map<Pinger, number>()
      let sent = 0
      let answered = 0
      let closed = 0
      const close = (): void => {
        closed += 1
      }
      const port = target(poller, (fd) => new Echo(poller, fd, close))
      const ping = (pinger: Pinger): void => {
        if (sent === count) return
        sent += 1
        starts.set(pinger, performance.now())
        pinger.ping()
      }
      const pong = (pinger: Pinger): void => {
        latencies[answered++] = (performance.now() - starts.get(pinger)!) * 1000
        ping(pinger)
      }
      const pingers: Pinger[] = []
      for (let index = 0; index < connections; index++) {
        openTunnel(poller, proxy, port, (fd) => {
          const pinger = new Pinger(poller, fd, length, index * 1009, { answered: pong, closed: close })
          pingers.push(pinger)
          return pinger
        })
      }
      poller.run(() => pingers.length === connections)
      const { cpu, seconds, load } = measure(pid, () => {
        pingers.forEach(ping)
        poller.run(() => answered === count)
      })
      for (const pinger of pingers) pinger.end()
      poller.run(() => closed === 2 * connections)
      return {
        cpu: (cpu / count) * 1e6,
        rate: count / seconds,
        p50: quantile(latencies, 0.5),
        p99: quantile(latencies, 0.99),
        load
      }
    })
})

export const oneByOne: Workload = roundTrips(1, 15_000)
export const twentyAtOnce: Workload = roundTrips(20, 40_000)

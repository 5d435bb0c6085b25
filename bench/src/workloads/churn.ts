import { Echo, Pinger } from '../load/echo.ts'
import { withPoller, type Poller } from '../load/poller.ts'
import { target } from '../load/socket.ts'
import { openTunnel } from '../load/tunnel.ts'
import { quantile } from '../report/statistics.ts'
import { measure } from './measure.ts'
import type { Sample, Task, Workload } from './workload.ts'

const atOnce = 50
const length = 64

/** Opens and closes so many connections. */
export const churnOn = (poller: Poller, { proxy, pid }: Task, count: number): Sample => {
  const latencies = new Float64Array(count)
  let opened = 0
  let answered = 0
  let closed = 0
  const port = target(poller, (fd) => new Echo(poller, fd, () => (closed += 1)))
  const next = (): void => {
    if (opened === count) return
    const position = opened++ * 97
    const start = performance.now()
    openTunnel(poller, proxy, port, (fd) => {
      const pinger = new Pinger(poller, fd, length, position, {
        answered() {
          latencies[answered++] = (performance.now() - start) * 1000
          pinger.end()
        },
        closed() {
          closed += 1
          next()
        }
      })
      pinger.ping()
      return pinger
    })
  }
  const { cpu, seconds, load } = measure(pid, () => {
    for (let i = 0; i < atOnce; i++) next()
    poller.run(() => closed === 2 * count)
  })
  return {
    cpu: (cpu / count) * 1e6,
    rate: count / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    load
  }
}

/** Handshake, connect, 64 bytes each way, close. */
export const churn: Workload = {
  name: 'churn',
  title: 'connections: handshake, connect, 64 bytes each way, close; 50 at a time',
  warmUp: 4,
  compared: 'cpu',
  metrics: [
    { name: 'cpu', unit: 'µs CPU/connection', better: 'less' },
    { name: 'rate', unit: 'connections/s', better: 'more' },
    { name: 'p50', unit: 'µs to the echo, median', better: 'less' },
    { name: 'p99', unit: 'µs to the echo, 99%', better: 'less' },
    { name: 'load', unit: 'load busy', better: 'less' }
  ],
  run: (task) => withPoller((poller) => churnOn(poller, task, Math.max(1, Math.round(3000 * task.scale))))
}

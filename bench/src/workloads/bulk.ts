import { withPoller, type Poller } from '../load/poller.ts'
import { target } from '../load/socket.ts'
import { Stream, type Transfer } from '../load/stream.ts'
import { openTunnel } from '../load/tunnel.ts'
import { measure } from './measure.ts'
import type { Sample, Task, Workload } from './workload.ts'

const connections = 4

/** So many gigabytes from target to client and from client to target. */
export const bulkOn = (poller: Poller, { proxy, pid }: Task, down: number, up: number): Sample => {
  const downBytes = Math.ceil((down * 1e9) / connections)
  const upBytes = Math.ceil((up * 1e9) / connections)
  let closed = 0
  const close = (): void => {
    closed += 1
  }
  const theirs: Transfer = { sends: downBytes, expects: upBytes, ends: false }
  const mine: Transfer = { sends: upBytes, expects: downBytes, ends: true }
  const port = target(poller, (fd) => new Stream(poller, fd, theirs, close))
  const { cpu, seconds, load } = measure(pid, () => {
    for (let i = 0; i < connections; i++) {
      openTunnel(poller, proxy, port, (fd) => new Stream(poller, fd, mine, close))
    }
    poller.run(() => closed === 2 * connections)
  })
  const gigabytes = ((downBytes + upBytes) * connections) / 1e9
  return { cpu: cpu / gigabytes, rate: gigabytes / seconds, load }
}

const bulk = (name: string, title: string, down: number, up: number): Workload => ({
  name,
  group: 'bulk',
  title: `bulk: ${title}, on ${connections} connections`,
  compared: 'cpu',
  metrics: [
    { name: 'cpu', unit: 's CPU/GB', better: 'less' },
    { name: 'rate', unit: 'GB/s', better: 'more' },
    { name: 'load', unit: 'load busy', better: 'less' }
  ],
  run: (task) => withPoller((poller) => bulkOn(poller, task, down * task.scale, up * task.scale))
})

export const down: Workload = bulk('down', 'from target to client', 1, 0)
export const up: Workload = bulk('up', 'from client to target', 0, 1)
export const both: Workload = bulk('both', 'both ways at once', 0.5, 0.5)

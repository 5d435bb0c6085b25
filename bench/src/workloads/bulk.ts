import { openPoller } from '../load/poller.ts'
import { target } from '../load/socket.ts'
import { Stream } from '../load/stream.ts'
import { openTunnel } from '../load/tunnel.ts'
import { measure } from './measure.ts'
import type { Workload } from './workload.ts'

const connections = 4

/** So many gigabytes from target to client and from client to target, spread over 4 connections. */
const bulk = (name: string, title: string, down: number, up: number): Workload => ({
  name,
  title: `bulk: ${title}, on ${connections} connections`,
  metrics: [
    { name: 'cpu', unit: 's CPU/GB', better: 'less' },
    { name: 'rate', unit: 'GB/s', better: 'more' },
    { name: 'load', unit: 'load busy', better: 'less' }
  ],
  run({ proxy, pid, scale }) {
    const downBytes = Math.ceil((down * scale * 1e9) / connections)
    const upBytes = Math.ceil((up * scale * 1e9) / connections)
    const poller = openPoller()
    let closed = 0
    const close = (): void => {
      closed += 1
    }
    const port = target(
      poller,
      (fd) => new Stream(poller, fd, { sends: downBytes, expects: upBytes, ends: false }, close)
    )
    try {
      const { cpu, seconds, load } = measure(pid, () => {
        for (let i = 0; i < connections; i++) {
          openTunnel(
            poller,
            proxy,
            port,
            (fd) => new Stream(poller, fd, { sends: upBytes, expects: downBytes, ends: true }, close)
          )
        }
        poller.run(() => closed === 2 * connections)
      })
      const gigabytes = ((downBytes + upBytes) * connections) / 1e9
      return { cpu: cpu / gigabytes, rate: gigabytes / seconds, load }
    } finally {
      poller.close()
    }
  }
})

export const down: Workload = bulk('down', 'from target to client', 1, 0)
export const up: Workload = bulk('up', 'from client to target', 0, 1)
export const both: Workload = bulk('both', 'both ways at once', 0.5, 0.5)

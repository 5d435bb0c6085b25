import { EPOLLRDHUP } from '@it-socks/syscall'
import { datagramEcho, DatagramPinger } from '../load/datagrams.ts'
import { withPoller } from '../load/poller.ts'
import { openAssociation } from '../load/tunnel.ts'
import { measure } from './measure.ts'
import type { Workload } from './workload.ts'

const associations = 8
const window = 16
/** How long a datagram may take, in milliseconds, before it counts as lost. */
const patience = 250

/** Datagrams of so many bytes to a target and back. Each of the two ways counts. */
const udp = (length: number): Workload => ({
  name: `udp${length}`,
  group: 'udp',
  title: `UDP ASSOCIATE: datagrams of ${length} bytes and their echoes, ${associations} associations with ${window} under way`,
  udp: true,
  compared: 'cpu',
  metrics: [
    { name: 'cpu', unit: 'µs CPU/datagram', better: 'less' },
    { name: 'rate', unit: 'datagrams/s', better: 'more' },
    { name: 'lost', unit: 'lost in 1,000', better: 'less' },
    { name: 'load', unit: 'load busy', better: 'less' }
  ],
  run: ({ proxy, pid, scale }) =>
    withPoller((poller) => {
      const count = Math.max(associations, Math.round(30_000 * scale))
      let sent = 0
      let arrived = 0
      let lost = 0
      const counter = {
        take: () => sent < count && (sent += 1) > 0,
        arrived: () => {
          arrived += 1
        }
      }
      const target = datagramEcho(poller)
      const pingers: DatagramPinger[] = []
      for (let index = 0; index < associations; index++) {
        const pinger = new DatagramPinger(length, window, counter)
        openAssociation(poller, proxy, pinger.port, (fd, relay) => {
          pinger.aim(relay, target)
          poller.watch(pinger)
          pingers.push(pinger)
          return {
            fd,
            ready(events) {
              if ((events & EPOLLRDHUP) !== 0) throw new Error('the association has ended')
            }
          }
        })
      }
      poller.run(() => pingers.length === associations)
      const { cpu, seconds, load } = measure(pid, () => {
        for (const pinger of pingers) pinger.fill()
        poller.run(
          () => arrived + lost === count,
          patience,
          () => {
            if (arrived === 0) throw new Error('no datagram comes back')
            for (const pinger of pingers) {
              lost += pinger.giveUp()
              pinger.fill()
            }
          }
        )
      })
      return {
        cpu: (cpu / (2 * arrived)) * 1e6,
        rate: (2 * arrived) / seconds,
        lost: (lost / count) * 1000,
        load
      }
    })
})

export const smallDatagrams: Workload = udp(64)
export const largeDatagrams: Workload = udp(1200)

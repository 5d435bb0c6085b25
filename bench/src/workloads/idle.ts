import { gather } from '../load/crowd.ts'
import { withPoller } from '../load/poller.ts'
import { memoryOf } from '../process/memory.ts'
import type { Workload } from './workload.ts'

/** For what has just been done to be done with, in milliseconds. */
const rest = 500

/** Relays that are open and do nothing: what each holds of the proxy's memory. */
export const idle: Workload = {
  name: 'idle',
  title: 'idle relays: resident memory for each of 3,000, those that never carried a byte and those that did once',
  fresh: 3,
  compared: 'fresh',
  metrics: [
    { name: 'fresh', unit: 'bytes/fresh relay', better: 'less' },
    { name: 'used', unit: 'bytes/used relay', better: 'less' },
    { name: 'before', unit: 'MB before', better: 'less' },
    { name: 'after', unit: 'MB when all have left', better: 'less' }
  ],
  run: ({ proxy, pid, scale }) =>
    withPoller((poller) => {
      const count = Math.max(1, Math.round(3000 * scale))
      const crowd = gather(poller, proxy)
      const memory = (): number => {
        poller.wait(rest)
        return memoryOf(pid)
      }
      // What a process makes once, on its first clients, is not the relays'.
      crowd.grow(Math.min(count, 100))
      crowd.use()
      crowd.leave()
      const before = memory()
      crowd.grow(count)
      const fresh = memory()
      crowd.use()
      const used = memory()
      crowd.leave()
      return {
        fresh: (fresh - before) / count,
        used: (used - before) / count,
        before: before / 1e6,
        after: memory() / 1e6
      }
    })
}

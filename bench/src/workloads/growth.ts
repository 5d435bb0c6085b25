import { gather } from '../load/crowd.ts'
import { withPoller } from '../load/poller.ts'
import { memoryOf } from '../process/memory.ts'
import { quantile } from '../report/statistics.ts'
import { bulkOn } from './bulk.ts'
import { churnOn } from './churn.ts'
import type { Metric, Sample, Workload } from './workload.ts'

/** How many relays are open and idle, in turn. */
const crowds = [10, 1000, 8000]
const [least = 0, ...larger] = crowds

/** A process of its own for each round leaves few rounds: so each is measured more than once in it. */
const several = (measure: () => Sample): number =>
  quantile(
    Array.from({ length: 3 }, () => measure()['cpu']!),
    0.5
  )

const columns = (name: string, unit: string, sizes: readonly number[]): Metric[] =>
  sizes.map((size) => ({ name: `${name}${size}`, unit: `${unit} at ${size}`, better: 'less' }))

/** What connections and bytes cost beside so many relays that are idle, and the memory of those. */
export const growth: Workload = {
  name: 'growth',
  title: `growth: what connections and bytes cost beside ${crowds.join(', ')} idle relays`,
  onRequest: true,
  fresh: 3,
  metrics: [
    ...columns('churn', 'µs CPU/connection', crowds),
    { name: 'churnGrowth', unit: `worst / ${least}`, better: 'less' },
    ...columns('bulk', 's CPU/GB', crowds),
    { name: 'bulkGrowth', unit: `worst / ${least}`, better: 'less' },
    ...columns('memory', 'bytes/further relay', larger)
  ],
  run: (task, note) =>
    withPoller((poller) => {
      const connections = Math.max(1, Math.round(1500 * task.scale))
      const gigabytes = 0.5 * task.scale
      const crowd = gather(poller, task.proxy)
      const grow = (size: number): void => crowd.grow(Math.max(1, Math.round(size * Math.min(task.scale, 1))))
      const results: Record<string, number> = {}
      const worst = (name: string): number => Math.max(...larger.map((size) => results[`${name}${size}`]!))
      try {
        // Memory first, for later on there is room in it that relays have left. And that of the first ones is not theirs.
        grow(100)
        crowd.use()
        crowd.leave()
        let memory = 0
        for (const size of crowds) {
          const before = crowd.size
          grow(size)
          poller.wait(500)
          const now = memoryOf(task.pid)
          if (before > 0) results[`memory${size}`] = (now - memory) / (crowd.size - before)
          memory = now
        }
        crowd.leave()
        // What is compiled while it runs is to be compiled before.
        churnOn(poller, task, 4 * connections)
        bulkOn(poller, task, gigabytes, 0)
        for (const size of crowds) {
          grow(size)
          poller.wait(500)
          results[`churn${size}`] = several(() => churnOn(poller, task, connections))
          results[`bulk${size}`] = several(() => bulkOn(poller, task, gigabytes, 0))
        }
      } catch (error) {
        note(`with ${crowd.size} relays open: ${(error as Error).message}`)
        return results
      }
      return {
        ...results,
        churnGrowth: worst('churn') / results[`churn${least}`]!,
        bulkGrowth: worst('bulk') / results[`bulk${least}`]!
      }
    })
}

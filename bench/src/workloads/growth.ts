import { gather } from '../load/crowd.ts'
import { withPoller } from '../load/poller.ts'
import { memoryOf } from '../process/memory.ts'
import { bulkOn } from './bulk.ts'
import { churnOn } from './churn.ts'
import type { Metric, Workload } from './workload.ts'

/** How many relays are open and idle, in turn. */
const crowds = [10, 1000, 8000]
const [least = 0, ...larger] = crowds

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
    ...columns('memory', 'bytes/further relay', larger),
    { name: 'memoryGrowth', unit: larger.toReversed().join(' / '), better: 'less' }
  ],
  run: (task, note) =>
    withPoller((poller) => {
      const connections = Math.max(1, Math.round(3000 * task.scale))
      const gigabytes = 0.5 * task.scale
      const crowd = gather(poller, task.proxy)
      churnOn(poller, task, connections)
      bulkOn(poller, task, gigabytes, 0)
      const results: Record<string, number> = {}
      const worst = (name: string): number => Math.max(...larger.map((size) => results[`${name}${size}`]!))
      let memory = 0
      for (const size of crowds) {
        const before = crowd.size
        try {
          crowd.grow(Math.max(1, Math.round(size * Math.min(task.scale, 1))))
          poller.wait(500)
          const now = memoryOf(task.pid)
          if (memory > 0) results[`memory${size}`] = (now - memory) / (crowd.size - before)
          results[`churn${size}`] = churnOn(poller, task, connections)['cpu']!
          results[`bulk${size}`] = bulkOn(poller, task, gigabytes, 0)['cpu']!
        } catch (error) {
          note(`of ${size} relays ${crowd.size} were opened: ${(error as Error).message}`)
          return results
        }
        poller.wait(500)
        memory = memoryOf(task.pid)
      }
      return {
        ...results,
        churnGrowth: worst('churn') / results[`churn${least}`]!,
        bulkGrowth: worst('bulk') / results[`bulk${least}`]!,
        memoryGrowth: results[`memory${larger[1]}`]! / results[`memory${larger[0]}`]!
      }
    })
}

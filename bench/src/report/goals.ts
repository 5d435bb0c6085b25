import { summaryOf, type Results } from './results.ts'
import { ratio, type Summary } from './statistics.ts'
import { columns, spread } from './table.ts'

/** What we want to be: a ratio within one run. */
interface Goal {
  readonly ours: string
  /** Without, the metric is a ratio itself. */
  readonly theirs?: string
  readonly workload: string
  readonly metric: string
  /** The workload and metric of theirs, where they are others. */
  readonly beside?: readonly [string, string]
  readonly atMost?: number
  readonly atLeast?: number
  /** With fewer processors than this, nothing can be said. */
  readonly processors?: number
}

/** Relays cost the same, however many there are; and 8,000 hold no more each than 3,000. */
const flat = ['portable', 'splice', 'epoll'].flatMap((ours): Goal[] => [
  { ours, workload: 'growth', metric: 'churnGrowth', atMost: 1.15 },
  { ours, workload: 'growth', metric: 'bulkGrowth', atMost: 1.15 },
  { ours, theirs: ours, workload: 'growth', metric: 'memory8000', beside: ['idle', 'fresh'], atMost: 1.15 }
])

const goals: readonly Goal[] = [
  { ours: 'portable', theirs: 'socksv5', workload: 'down', metric: 'cpu', atMost: 0.5 },
  { ours: 'portable', theirs: 'socksv5', workload: 'churn', metric: 'cpu', atMost: 0.75 },
  { ours: 'portable', theirs: 'socksv5', workload: 'rr20', metric: 'rate', atLeast: 1.2 },
  { ours: 'portable', theirs: 'socksv5', workload: 'idle', metric: 'fresh', atMost: 0.85 },
  { ours: 'portable', theirs: 'handwritten', workload: 'churn', metric: 'cpu', atMost: 1.15 },
  { ours: 'portable', theirs: 'microsocks', workload: 'churn', metric: 'cpu', atMost: 1.3 },
  { ours: 'portable', theirs: 'microsocks', workload: 'rr20', metric: 'cpu', atMost: 0.9 },
  { ours: 'portable', theirs: 'hev', workload: 'down', metric: 'cpu', atMost: 1.2 },
  { ours: 'splice', theirs: 'hev', workload: 'down', metric: 'cpu', atMost: 0.6 },
  { ours: 'splice', theirs: 'dante', workload: 'down', metric: 'cpu', atMost: 0.35 },
  { ours: 'epoll', theirs: 'microsocks', workload: 'churn', metric: 'cpu', atMost: 0.9 },
  { ours: 'epoll', theirs: 'hev', workload: 'churn', metric: 'cpu', atMost: 0.75 },
  { ours: 'epoll', theirs: 'hev', workload: 'idle', metric: 'fresh', atMost: 1 },
  { ours: 'epoll', theirs: 'hev', workload: 'rr20', metric: 'rate', atLeast: 1 },
  { ours: 'epoll', theirs: 'dante', workload: 'udp64', metric: 'cpu', atMost: 1 },
  { ours: 'epoll', theirs: 'dante', workload: 'udp1200', metric: 'cpu', atMost: 1 },
  { ours: 'epoll-2', theirs: 'epoll', workload: 'churn', metric: 'rate', atLeast: 1.6, processors: 4 },
  ...flat
]

const measuredOf = ({ workloads }: Results, goal: Goal): Summary | undefined => {
  const { ours, theirs, workload, metric, beside = [workload, metric] } = goal
  const mine = summaryOf(workloads, workload, ours, metric)
  if (theirs === undefined) return mine
  const other = summaryOf(workloads, beside[0], theirs, beside[1])
  return mine && other && ratio(mine, other)
}

/** Each goal beside what this run has measured, below a head; just the head where it has measured nothing that a goal speaks of. */
export const goalRows = (results: Results): string[][] => {
  const { machine, workloads } = results
  const rows = goals.flatMap((each) => {
    const { ours, theirs, workload, metric, beside, atMost, atLeast, processors = 1 } = each
    const on = beside === undefined ? [workload, metric] : [`${workload} / ${beside[0]}`, `${metric} / ${beside[1]}`]
    const who = theirs === undefined ? ours : `${ours} / ${theirs}`
    const goal = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`
    if (machine.cores < processors) {
      const isAsked = theirs !== undefined && summaryOf(workloads, workload, theirs, metric) !== undefined
      return isAsked ? [[who, ...on, goal, '–', `needs ${processors} processors`]] : []
    }
    const measured = measuredOf(results, each)
    if (measured === undefined) return []
    const isMet = measured.median <= (atMost ?? Number.POSITIVE_INFINITY) && measured.median >= (atLeast ?? 0)
    return [[who, ...on, goal, spread(measured), isMet ? 'met' : 'NOT MET']]
  })
  return [['', 'workload', 'metric', 'goal', 'measured', ''], ...rows]
}

/** The goals as a table; `undefined` where there is nothing to show. */
export const goalTable = (results: Results): string | undefined => {
  const rows = goalRows(results)
  return rows.length === 1 ? undefined : `goals: ratios in this run, round by round\n\n${columns(rows)}\n`
}

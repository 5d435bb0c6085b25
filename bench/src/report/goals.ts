import { summaryOf, type Results } from './results.ts'
import { ratio } from './statistics.ts'
import { columns, spread } from './table.ts'

/** What we want to be: a ratio within one run. */
interface Goal {
  readonly ours: string
  readonly theirs: string
  readonly workload: string
  readonly metric: string
  readonly atMost?: number
  readonly atLeast?: number
}

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
  { ours: 'epoll', theirs: 'dante', workload: 'udp1200', metric: 'cpu', atMost: 1 }
]

/** Each goal beside what this run has measured; `undefined` where it has measured nothing that a goal speaks of. */
export const goalTable = ({ workloads }: Results): string | undefined => {
  const rows = goals.flatMap(({ ours, theirs, workload, metric, atMost, atLeast }) => {
    const mine = summaryOf(workloads, workload, ours, metric)
    const other = summaryOf(workloads, workload, theirs, metric)
    if (mine === undefined || other === undefined) return []
    const measured = ratio(mine, other)
    const isMet = measured.median <= (atMost ?? Number.POSITIVE_INFINITY) && measured.median >= (atLeast ?? 0)
    const goal = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`
    return [[`${ours} / ${theirs}`, workload, metric, goal, spread(measured), isMet ? 'met' : 'NOT MET']]
  })
  if (rows.length === 0) return undefined
  const head = ['', 'workload', 'metric', 'goal', 'measured', '']
  return `goals: ratios in this run, round by round\n\n${columns([head, ...rows])}\n`
}

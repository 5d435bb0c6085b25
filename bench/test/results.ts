import type { Result, Results, WorkloadResults } from '../src/report/results.ts'
import { summarize } from '../src/report/statistics.ts'

/** Results of one metric of one workload, by proxy. */
export const resultsOf = (
  workload: string,
  metric: string,
  values: Readonly<Record<string, readonly number[] | string>>
): Results & { workloads: [WorkloadResults] } => ({
  when: '2030-01-02T03:04:05.678Z',
  machine: { processor: 'A <fast> one', cores: 2, kernel: '6.1', node: 'v20.0.0' },
  rounds: 3,
  scale: 1,
  proxies: [],
  workloads: [
    {
      name: workload,
      title: `${workload}: what it is`,
      metrics: [{ name: metric, unit: `µs/${workload}`, better: 'less' }],
      compared: metric,
      results: Object.fromEntries(
        Object.entries(values).map(([proxy, value]): [string, Result] => [
          proxy,
          typeof value === 'string' ? { error: value } : { metrics: { [metric]: summarize(value) }, notes: [] }
        ])
      )
    }
  ]
})

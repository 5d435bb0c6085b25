import { cpus, release } from 'node:os'
import type { Metric } from '../workloads/workload.ts'
import type { Summary } from './statistics.ts'

/** What a proxy made of a workload: a summary for each metric, or what went wrong. */
export type Result =
  | { readonly metrics: Readonly<Record<string, Summary>>; readonly notes: readonly string[] }
  | { readonly error: string }

export interface WorkloadResults {
  readonly name: string
  readonly title: string
  readonly metrics: readonly Metric[]
  readonly compared: string | undefined
  /** By the name of the proxy. */
  readonly results: Readonly<Record<string, Result>>
}

/** Everything that was measured in one run; this is what is saved. */
export interface Results {
  readonly when: string
  readonly machine: {
    readonly processor: string
    readonly cores: number
    readonly kernel: string
    readonly node: string
  }
  readonly rounds: number
  readonly scale: number
  readonly proxies: ReadonlyArray<{
    readonly name: string
    readonly about: string
    readonly missing: string | undefined
  }>
  readonly workloads: readonly WorkloadResults[]
}

export const thisMachine = (): Results['machine'] => ({
  processor: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  kernel: release(),
  node: process.version
})

/** A metric, where that was measured. */
export const summaryOf = (
  workloads: readonly WorkloadResults[],
  workload: string,
  proxy: string,
  metric: string
): Summary | undefined => {
  const result = workloads.find(({ name }) => name === workload)?.results[proxy]
  return result !== undefined && 'metrics' in result ? result.metrics[metric] : undefined
}

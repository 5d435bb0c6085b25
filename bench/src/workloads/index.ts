import { both, down, up } from './bulk.ts'
import { churn } from './churn.ts'
import { oneByOne, twentyAtOnce } from './round-trips.ts'
import type { Workload } from './workload.ts'

/** All that is measured, in this order. */
export const workloads: readonly Workload[] = [churn, oneByOne, twentyAtOnce, down, up, both]

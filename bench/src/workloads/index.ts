import { both, down, up } from './bulk.ts'
import { churn } from './churn.ts'
import { growth } from './growth.ts'
import { idle } from './idle.ts'
import { limit } from './limit.ts'
import { oneByOne, twentyAtOnce } from './round-trips.ts'
import { largeDatagrams, smallDatagrams } from './udp.ts'
import type { Workload } from './workload.ts'

/** All that is measured, in this order. */
export const workloads: readonly Workload[] = [
  churn,
  oneByOne,
  twentyAtOnce,
  down,
  up,
  both,
  idle,
  smallDatagrams,
  largeDatagrams,
  growth,
  limit
]

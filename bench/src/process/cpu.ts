import { allocate } from '@it-socks/syscall'
import koffi from 'koffi'
import { processTree, statFields } from './tree.ts'

const ticksPerSecond = 100
const time = allocate(16)
const clockGettime = koffi.load(null).func('int clock_gettime(int, intptr_t)') as (clock: number, at: number) => number

const ticks = (pid: number, user: number): number => {
  const fields = statFields(pid)
  return fields === undefined ? 0 : (Number(fields[user]) + Number(fields[user + 1])) / ticksPerSecond
}

/** CPU time of all threads, those that have ended too, in seconds: to the nanosecond where the kernel tells. */
const ofProcess = (pid: number): number => {
  // The clock of another process, as clock_getcpuclockid(3) makes it of the number.
  if (clockGettime((~pid << 3) | 2, time.address) !== 0) return ticks(pid, 11)
  return Number(time.view.getBigInt64(0, true)) + Number(time.view.getBigInt64(8, true)) / 1e9
}

/** What a process and its descendants have used so far, in seconds. */
export interface CpuTimes {
  readonly running: ReadonlyMap<number, number>
  /** Of descendants that have ended, as far as anybody waited for them: in ticks. */
  readonly ended: number
}

/** Looks at the clocks of a process and its descendants. */
export const cpuTimes = (root: number): CpuTimes => {
  const tree = processTree(root)
  return {
    running: new Map(tree.map((pid) => [pid, ofProcess(pid)])),
    ended: tree.reduce((sum, pid) => sum + ticks(pid, 13), 0)
  }
}

/** CPU seconds between two looks. What one that has ended used in between is only known where its parent waited for it. */
export const cpuBetween = (before: CpuTimes, after: CpuTimes): number => {
  let sum = 0
  for (const [pid, seconds] of after.running) sum += seconds - (before.running.get(pid) ?? 0)
  let gone = 0
  for (const [pid, seconds] of before.running) if (!after.running.has(pid)) gone += seconds
  return sum + Math.max(0, after.ended - before.ended - gone)
}

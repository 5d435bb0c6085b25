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

/** CPU time that a process and its descendants have used so far, in seconds; of children that have ended, in ticks. */
export const cpuOf = (root: number): number =>
  processTree(root).reduce((sum, pid) => sum + ofProcess(pid) + ticks(pid, 13), 0)

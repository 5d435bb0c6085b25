import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { program } from './programs.ts'

const limit = (to: string | number): void => {
  execFileSync(program('prlimit'), ['--pid', String(process.pid), `--nofile=${to}:`])
}

/** Sets how many descriptors this process may have; needs `prlimit`. Returns what sets it back. */
export const limitDescriptors = (to: number): (() => void) => {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const before = /Max open files\s+(?<soft>\d+)/.exec(limits)!.groups!['soft']!
  limit(to)
  return () => limit(before)
}

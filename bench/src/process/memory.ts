import { readFileSync } from 'node:fs'
import { processTree } from './tree.ts'

const kilobytes = (file: string, field: string): number => {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/**
 * Resident memory of a process and its descendants, in bytes. Where there are several they share what they have from their
 * parent: then each counts its part of it (PSS).
 */
export const memoryOf = (root: number): number => {
  const tree = processTree(root)
  const sum =
    tree.length === 1
      ? kilobytes(`/proc/${root}/status`, 'VmRSS')
      : tree.reduce((sum, pid) => sum + kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss'), 0)
  return sum * 1024
}

import { readdirSync, readFileSync } from 'node:fs'

const pids = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)

/** The fields of /proc/PID/stat behind the command's name, which may hold anything (proc(5)); the first is the state. */
export const statFields = (pid: number): string[] | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
  } catch {
    // It has ended.
    return undefined
  }
}

/** A process and all that descend from it. */
export const processTree = (root: number): number[] => {
  const children = new Map<number, number[]>()
  for (const pid of pids()) {
    const parent = Number(statFields(pid)?.[1])
    children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

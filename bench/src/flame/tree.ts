import { ownerOf, placeOf } from './owner.ts'
import { selfTimes, type CallFrame, type Profile, type Span } from './profile.ts'

/** A function as it was called by those below it. */
export interface Frame {
  readonly name: string
  /** Its file and line. */
  readonly place: string
  readonly owner: string
  /** The time it ran itself, in microseconds. */
  readonly self: number
  /** With what it called. */
  readonly total: number
  /** What it called, the longest first. */
  readonly children: readonly Frame[]
}

/** Waits are no CPU time. */
const idle = '(idle)'

const nameOf = ({ functionName, url, lineNumber }: CallFrame): string => {
  if (functionName === '(program)') return 'native code'
  if (functionName !== '') return functionName.replace(/^\((.*)\)$/, '$1')
  return `${url.slice(url.lastIndexOf('/') + 1)}:${lineNumber + 1}`
}

/** The calls of a profile as a tree, with the times of a span. What ran for no time is left out. */
export const callTree = (profile: Profile, span: Span = { from: 0, to: Number.POSITIVE_INFINITY }): Frame => {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const times = selfTimes(profile, span)
  const frame = (id: number): Frame[] => {
    const { callFrame, children = [] } = nodes.get(id)!
    if (callFrame.functionName === idle) return []
    const below = children.flatMap(frame).toSorted((a, b) => b.total - a.total)
    const self = times.get(id) ?? 0
    const total = below.reduce((sum, child) => sum + child.total, self)
    if (total === 0) return []
    return [
      { name: nameOf(callFrame), place: placeOf(callFrame), owner: ownerOf(callFrame), self, total, children: below }
    ]
  }
  const [root] = profile.nodes
  const [tree] = root === undefined ? [] : frame(root.id)
  return { name: 'all', place: '', owner: '', self: 0, total: 0, children: [], ...(tree && { ...tree, name: 'all' }) }
}

/** How much of the time each owner ran itself, the most first. The parts add up to 1. */
export const shares = (tree: Frame): Array<{ readonly owner: string; readonly part: number }> => {
  const times = new Map<string, number>()
  const add = ({ owner, self, children }: Frame): void => {
    if (self > 0) times.set(owner, (times.get(owner) ?? 0) + self)
    children.forEach(add)
  }
  add(tree)
  return [...times].map(([owner, time]) => ({ owner, part: time / tree.total })).toSorted((a, b) => b.part - a.part)
}

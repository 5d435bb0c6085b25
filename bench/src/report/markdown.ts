import { goalRows } from './goals.ts'
import { summaryOf, type Results } from './results.ts'
import { notesOf, spread } from './table.ts'

interface Column {
  readonly workload: string
  readonly metric: string
  readonly head: string
}

const growth = (metric: string, head: string): Column => ({ workload: 'growth', metric, head })
const limit = (metric: string, head: string): Column => ({ workload: 'limit', metric, head })

/** The tables of a page by their marks: a row for each proxy. */
const tables: Readonly<Record<string, readonly Column[]>> = {
  costs: [
    { workload: 'churn', metric: 'cpu', head: 'CPU µs/connection' },
    { workload: 'rr20', metric: 'cpu', head: 'CPU µs/round trip' },
    { workload: 'down', metric: 'cpu', head: 'CPU s/GB down' },
    { workload: 'up', metric: 'cpu', head: 'CPU s/GB up' },
    { workload: 'idle', metric: 'fresh', head: 'bytes/idle relay' },
    { workload: 'udp64', metric: 'cpu', head: 'CPU µs/datagram' }
  ],
  rates: [
    { workload: 'churn', metric: 'rate', head: 'connections/s' },
    { workload: 'churn', metric: 'p99', head: 'µs to the echo, 99%' },
    { workload: 'rr20', metric: 'rate', head: 'round trips/s' },
    { workload: 'rr20', metric: 'p99', head: 'µs a round trip, 99%' },
    { workload: 'down', metric: 'rate', head: 'GB/s down' },
    { workload: 'udp64', metric: 'rate', head: 'datagrams/s' }
  ],
  growth: [
    growth('churn10', 'CPU µs/connection at 10'),
    growth('churn1000', 'at 1,000'),
    growth('churn8000', 'at 8,000'),
    growth('bulk10', 'CPU s/GB at 10'),
    growth('bulk1000', 'at 1,000'),
    growth('bulk8000', 'at 8,000'),
    growth('memory1000', 'bytes/relay to 1,000'),
    growth('memory8000', 'to 8,000')
  ],
  limit: [
    limit('held', 'relays held'),
    limit('busy', 'CPU s/s when full'),
    limit('alive', '% that go on'),
    limit('recovered', '% let in again')
  ]
}

/** Columns of one width, as the formatter of this repository has them: the first to the left, the others to the right. */
const table = (rows: ReadonlyArray<readonly string[]>): string => {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const [head, ...body] = rows.map((row) =>
    line(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))))
  )
  const rule = line(widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)))
  return [head, rule, ...body].join('\n')
}

const byProxy = (results: Results, columns: readonly Column[]): string | undefined => {
  const present = columns.filter(({ workload }) => results.workloads.some(({ name }) => name === workload))
  const rows = results.proxies
    .map(({ name }) => {
      const cells = present.map(({ workload, metric }) => summaryOf(results.workloads, workload, name, metric))
      return [name, ...cells.map((cell) => (cell === undefined ? '' : spread(cell)))]
    })
    .filter((row) => row.slice(1).some((cell) => cell !== ''))
  if (rows.length === 0) return undefined
  const shown = new Set(present.map(({ workload }) => workload))
  const notes = results.workloads.filter(({ name }) => shown.has(name)).flatMap(notesOf)
  return [table([['', ...present.map(({ head }) => head)], ...rows]), ...notes].join('\n\n')
}

const about = ({ when, machine, rounds, scale, proxies }: Results): string => {
  const { cores, processor, kernel, node } = machine
  const length = scale === 1 ? '' : `, each ${scale} of the usual length`
  const missing = proxies.filter(({ missing }) => missing !== undefined).map(({ name }) => name)
  const without = missing.length === 0 ? '' : ` Not there: ${missing.join(', ')}.`
  return `${when.slice(0, 10)}, ${cores} × ${processor}, Linux ${kernel}, Node ${node}; ${rounds} rounds${length}.${without}`
}

/** What was measured as parts of a page, by their marks. What was not measured has none. */
export const markdownOf = (results: Results): Map<string, string> => {
  const parts = new Map([['machine', about(results)]])
  for (const [mark, columns] of Object.entries(tables)) {
    const text = byProxy(results, columns)
    if (text !== undefined) parts.set(mark, text)
  }
  const goals = goalRows(results)
  if (goals.length > 1) parts.set('goals', table(goals))
  return parts
}

/** Puts each part between its marks, `<!-- costs -->` and `<!-- /costs -->`. What is not between marks stays as it is. */
export const fillIn = (page: string, parts: ReadonlyMap<string, string>): string =>
  page.replace(/<!-- (\w+) -->\n[^]*?<!-- \/\1 -->/g, (old, mark: string) => {
    const text = parts.get(mark)
    return text === undefined ? old : `<!-- ${mark} -->\n\n${text}\n\n<!-- /${mark} -->`
  })

/** Several runs as one: the first that has a workload counts, and what is said of the machine is the first one's. */
export const together = ([first, ...others]: readonly Results[]): Results => {
  const all = [first!, ...others]
  const firsts = <Item extends { readonly name: string }>(items: readonly Item[]): Item[] =>
    items.filter(({ name }, index) => items.findIndex((item) => item.name === name) === index)
  return {
    ...first!,
    proxies: firsts(all.flatMap(({ proxies }) => proxies)),
    workloads: firsts(all.flatMap(({ workloads }) => workloads))
  }
}

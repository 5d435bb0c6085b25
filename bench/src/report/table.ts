import { summaryOf, type Result, type WorkloadResults } from './results.ts'
import { ratio, type Summary } from './statistics.ts'

/** Three digits that count, and none that do not. */
export const rounded = (value: number): string => {
  if (!Number.isFinite(value)) return '–'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toFixed(Math.min(digits, 3)).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ',')
}

/** The median, and in brackets the quartiles. */
export const spread = ({ median, low, high }: Summary): string =>
  `${rounded(median)} (${rounded(low)}–${rounded(high)})`

/** Puts cells in columns: the first to the left, numbers to the right. */
export const columns = (rows: ReadonlyArray<readonly string[]>): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

/** Whom the others are held against. */
const references = ['socksv5', 'microsocks', 'hev', 'dante']

/** What could not be measured, and with whom. */
export const notesOf = ({ results }: WorkloadResults): string[] =>
  Object.entries(results).flatMap(([proxy, result]) =>
    'notes' in result ? result.notes.map((note) => `${proxy}: ${note}`) : []
  )

/** A workload as a table: medians with their quartiles, and ratios to each reference by the metric that is compared. */
export const workloadTable = (workload: WorkloadResults): string => {
  const { name, title, metrics, compared = '', results } = workload
  const summary = (proxy: string): Summary | undefined => summaryOf([workload], name, proxy, compared)
  const present = references.flatMap((reference) => summary(reference) ?? [])
  const names = references.filter((reference) => summary(reference) !== undefined)
  const head = ['', ...metrics.map(({ unit }) => unit), ...names.map((reference) => `/ ${reference}`)]
  const row = ([proxy, result]: [string, Result]): string[] => {
    if ('error' in result) return [proxy, result.error, ...Array<string>(head.length - 2).fill('')]
    const values = metrics.map(({ name }) => result.metrics[name]).map((value) => (value ? spread(value) : ''))
    const mine = summary(proxy)
    return [proxy, ...values, ...present.map((other) => (mine ? rounded(ratio(mine, other).median) : ''))]
  }
  const notes = notesOf(workload).map((note) => `${note}\n`)
  return `${title}\n\n${columns([head, ...Object.entries(results).map(row)])}\n${notes.join('')}`
}

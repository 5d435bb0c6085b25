import type { Summary } from './statistics.ts'
import type { Result, WorkloadResults } from './results.ts'

/** Three digits that count, and none that do not. */
export const rounded = (value: number): string => {
  if (!Number.isFinite(value)) return '–'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toFixed(Math.min(digits, 3)).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ',')
}

const spread = ({ median, low, high }: Summary): string => `${rounded(median)} (${rounded(low)}–${rounded(high)})`

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

/** A workload as a table: medians with their quartiles, and ratios to each reference by the metric that is compared. */
export const workloadTable = ({ title, metrics, compared = '', results }: WorkloadResults): string => {
  const median = (proxy: string): number | undefined => {
    const result = results[proxy]
    return result !== undefined && 'metrics' in result ? result.metrics[compared]?.median : undefined
  }
  const present = references.filter((name) => median(name) !== undefined)
  const head = ['', ...metrics.map(({ unit }) => unit), ...present.map((name) => `/ ${name}`)]
  const row = ([proxy, result]: [string, Result]): string[] => {
    if ('error' in result) return [proxy, result.error, ...Array<string>(head.length - 2).fill('')]
    const values = metrics.map(({ name }) => result.metrics[name]).map((summary) => (summary ? spread(summary) : ''))
    return [proxy, ...values, ...present.map((name) => rounded(median(proxy)! / median(name)!))]
  }
  const notes = Object.entries(results).flatMap(([proxy, result]) =>
    'notes' in result ? result.notes.map((note) => `${proxy}: ${note}\n`) : []
  )
  return `${title}\n\n${columns([head, ...Object.entries(results).map(row)])}\n${notes.join('')}`
}

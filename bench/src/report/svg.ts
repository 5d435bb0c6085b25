import { escaped } from './escaped.ts'
import { summaryOf, type Results } from './results.ts'
import type { Summary } from './statistics.ts'
import { rounded } from './table.ts'

/** One chart of bars. */
interface Panel {
  readonly workload: string
  readonly metric: string
  readonly title: string
}

const panels: readonly Panel[] = [
  { workload: 'churn', metric: 'cpu', title: 'A connection: CPU µs' },
  { workload: 'down', metric: 'cpu', title: 'A gigabyte relayed: CPU seconds' },
  { workload: 'rr20', metric: 'cpu', title: 'A round trip of 64 bytes: CPU µs' },
  { workload: 'idle', metric: 'fresh', title: 'An idle relay: bytes of memory' }
]

type Kind = 'ours' | 'c' | 'node'

/** Those that are shown, by the names that readers know them by. */
const shown: Readonly<Record<string, { readonly label: string; readonly kind: Kind }>> = {
  portable: { label: 'it-socks, portable', kind: 'ours' },
  splice: { label: 'it-socks, splice', kind: 'ours' },
  epoll: { label: 'it-socks, epoll', kind: 'ours' },
  socksv5: { label: 'npm socksv5', kind: 'node' },
  microsocks: { label: 'microsocks', kind: 'c' },
  dante: { label: 'dante', kind: 'c' },
  hev: { label: 'hev-socks5-server', kind: 'c' },
  '3proxy': { label: '3proxy', kind: 'c' }
}

const legend: ReadonlyArray<readonly [Kind, string]> = [
  ['ours', 'it-socks'],
  ['c', 'in C'],
  ['node', 'other on Node']
]

const width = 860
const gap = 44
const panelWidth = (width - gap) / 2
const labelWidth = 140
const valueWidth = 62
const room = panelWidth - labelWidth - valueWidth
const rowHeight = 22
const barHeight = 14
const headHeight = 34
const top = 34

const style = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #59636e }
  .title { font-weight: 600; font-size: 14px; fill: #1f2328 }
  .ours { fill: #1f2328; font-weight: 600 }
  rect.ours { fill: #0969da }
  rect.c { fill: #8c959f }
  rect.node { fill: #d0d7de }
  path { stroke: #1f2328; stroke-opacity: .5; fill: none }
  .cut { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title, .ours { fill: #f0f6fc }
    rect.ours { fill: #4493f8 }
    rect.c { fill: #767f8a }
    rect.node { fill: #3d444d }
    path { stroke: #f0f6fc }
    .cut { fill: #0d1117 }
  }
`

interface Bar {
  readonly label: string
  readonly kind: Kind
  readonly summary: Summary
}

const barsOf = ({ workloads }: Results, workload: string, metric: string): Bar[] =>
  Object.entries(shown)
    .flatMap(([proxy, { label, kind }]) => {
      const summary = summaryOf(workloads, workload, proxy, metric)
      return summary === undefined ? [] : [{ label, kind, summary }]
    })
    .toSorted((a, b) => a.summary.median - b.summary.median)

/** Where the longest bar ends. One that would make all others short is cut off: it says its number. */
const scaleOf = (bars: readonly Bar[]): number => {
  const medians = bars.map(({ summary }) => summary.median)
  const longest = medians.at(-1) ?? 1
  const next = medians.at(-2) ?? longest
  return longest > 3 * next ? 1.3 * next : longest
}

const bar = ({ label, kind, summary }: Bar, index: number, scale: number): string => {
  const y = headHeight + index * rowHeight
  const baseline = y + 11
  const at = (value: number): number => Math.round((Math.min(value / scale, 1) * room + labelWidth) * 10) / 10
  const end = at(summary.median)
  const isCut = summary.median > scale
  return [
    `<text x="${labelWidth - 8}" y="${baseline}" text-anchor="end" class="${kind}">${escaped(label)}</text>`,
    `<rect x="${labelWidth}" y="${y}" width="${Math.max(end - labelWidth, 1)}" height="${barHeight}" rx="2" class="${kind}"/>`,
    isCut
      ? `<polygon class="cut" points="${end - 14},${y + 16} ${end - 8},${y - 2} ${end - 4},${y - 2} ${end - 10},${y + 16}"/>`
      : `<path d="M${at(summary.low)} ${y + 7}H${at(summary.high)}"/>`,
    `<text x="${Math.max(end, isCut ? 0 : at(summary.high)) + 6}" y="${baseline}" class="${kind}">${rounded(summary.median)}</text>`
  ].join('')
}

/**
 * Draws the results as bars, the shortest on top: less is better in all of them. It is for those who do not know this benchmark,
 * so it shows those alone that one would choose between. It can be read on light and on dark.
 * `undefined` where it shows nothing of what was measured.
 */
export const draw = (results: Results): string | undefined => {
  const charts = panels.flatMap(({ workload, metric, title }) => {
    const bars = barsOf(results, workload, metric)
    return bars.length === 0 ? [] : [{ title, bars, scale: scaleOf(bars) }]
  })
  if (charts.length === 0) return undefined
  let bottom = top
  const drawn: string[] = []
  for (let index = 0; index < charts.length; index += 2) {
    const row = charts.slice(index, index + 2)
    row.forEach(({ title, bars, scale }, column) => {
      drawn.push(
        `<g transform="translate(${column * (panelWidth + gap)} ${bottom})">` +
          `<text class="title" x="0" y="18">${escaped(title)}</text>` +
          `${bars.map((each, place) => bar(each, place, scale)).join('\n')}</g>`
      )
    })
    bottom += headHeight + Math.max(...row.map(({ bars }) => bars.length)) * rowHeight + 16
  }
  const kinds = legend.map(
    ([kind, label], index) =>
      `<rect x="${width - 320 + index * 100}" y="4" width="12" height="12" rx="2" class="${kind}"/>` +
      `<text x="${width - 302 + index * 100}" y="14">${label}</text>`
  )
  const { processor, cores, node } = results.machine
  const caption = `Medians of ${results.rounds} rounds, with quartiles. ${cores} × ${processor}, loopback, Node ${node}, ${results.when.slice(0, 10)}.`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 20}" width="${width}" height="${bottom + 20}" role="img">
<title>What SOCKS servers cost</title>
<style>${style}</style>
<text class="title" x="0" y="14">What a proxy costs: less is better</text>
${kinds.join('\n')}
${drawn.join('\n')}
<text x="0" y="${bottom + 10}">${escaped(caption)}</text>
</svg>
`
}

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
  { workload: 'churn', metric: 'cpu', title: 'CPU µs per connection' },
  { workload: 'down', metric: 'cpu', title: 'CPU seconds per GB relayed' },
  { workload: 'rr20', metric: 'cpu', title: 'CPU µs per round trip of 64 bytes' },
  { workload: 'idle', metric: 'used', title: 'bytes of memory per idle relay' },
  { workload: 'udp64', metric: 'cpu', title: 'CPU µs per datagram of 64 bytes' },
  { workload: 'rr20', metric: 'p99', title: 'µs for a round trip, 99%, 20 at once' }
]

const ours = new Set(['portable', 'splice', 'epoll'])

const width = 860
const gap = 40
const panelWidth = (width - gap) / 2
const labelWidth = 92
const valueWidth = 66
const room = panelWidth - labelWidth - valueWidth
const rowHeight = 20
const headHeight = 34

const style = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #57606a }
  .title { font-weight: 600; font-size: 13px; fill: #1f2328 }
  .ours { fill: #1f2328; font-weight: 600 }
  rect { fill: #afb8c1 }
  rect.ours { fill: #0969da }
  path { stroke: #1f2328; stroke-opacity: .55; fill: none }
  .cut { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title, .ours { fill: #f0f6fc }
    rect { fill: #4d5661 }
    rect.ours { fill: #4493f8 }
    path { stroke: #f0f6fc }
    .cut { fill: #0d1117 }
  }
`

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

interface Bar {
  readonly proxy: string
  readonly summary: Summary
}

const barsOf = ({ workloads }: Results, workload: string, metric: string): Bar[] =>
  Object.keys(workloads.find(({ name }) => name === workload)?.results ?? {})
    .flatMap((proxy) => {
      const summary = summaryOf(workloads, workload, proxy, metric)
      return summary === undefined ? [] : [{ proxy, summary }]
    })
    .toSorted((a, b) => a.summary.median - b.summary.median)

/** Where the longest bar ends. One that would make all others short is cut off: it says its number. */
const scaleOf = (bars: readonly Bar[]): number => {
  const medians = bars.map(({ summary }) => summary.median)
  const longest = medians.at(-1) ?? 1
  const next = medians.at(-2) ?? longest
  return longest > 3 * next ? 1.3 * next : longest
}

const bar = ({ proxy, summary }: Bar, index: number, scale: number): string => {
  const y = headHeight + index * rowHeight
  const at = (value: number): number => Math.round((Math.min(value / scale, 1) * room + labelWidth) * 10) / 10
  const kind = ours.has(proxy) ? ' class="ours"' : ''
  const end = at(summary.median)
  const isCut = summary.median > scale
  return [
    `<text x="${labelWidth - 8}" y="${y + 13}" text-anchor="end"${kind}>${escaped(proxy)}</text>`,
    `<rect x="${labelWidth}" y="${y + 2}" width="${Math.max(end - labelWidth, 1)}" height="14" rx="2"${kind}/>`,
    isCut
      ? `<polygon class="cut" points="${end - 14},${y + 18} ${end - 8},${y} ${end - 4},${y} ${end - 10},${y + 18}"/>`
      : `<path d="M${at(summary.low)} ${y + 9}H${at(summary.high)}"/>`,
    `<text x="${Math.max(end, isCut ? 0 : at(summary.high)) + 6}" y="${y + 13}"${kind}>${rounded(summary.median)}</text>`
  ].join('')
}

/** Draws the results as bars, the shortest on top: less is better in all of them. It can be read on light and on dark. */
export const draw = (results: Results): string => {
  const charts = panels.flatMap(({ workload, metric, title }) => {
    const bars = barsOf(results, workload, metric)
    return bars.length === 0 ? [] : [{ title, bars, scale: scaleOf(bars) }]
  })
  let bottom = 0
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
    bottom += headHeight + Math.max(...row.map(({ bars }) => bars.length)) * rowHeight + 18
  }
  const { processor, cores, node } = results.machine
  const caption = `medians of ${results.rounds} rounds, with quartiles; less is better. ${cores} × ${processor}, Node ${node}, ${results.when.slice(0, 10)}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 20}" width="${width}" height="${bottom + 20}" role="img">
<title>What SOCKS servers cost</title>
<style>${style}</style>
${drawn.join('\n')}
<text x="0" y="${bottom + 10}">${escaped(caption)}</text>
</svg>
`
}

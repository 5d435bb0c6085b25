import { escaped } from '../report/escaped.ts'
import { shares, type Frame } from './tree.ts'

/** What is not ours is grey and green; ours has a colour for each package. All of them are light enough for dark letters. */
const colours: Readonly<Record<string, string>> = {
  'system calls': '#c3c9d1',
  'native code': '#dde1e6',
  'garbage collector': '#a7aeb8',
  Node: '#a5d6a1',
  stage: '#8ec1ff',
  protocol: '#d6aef2',
  auth: '#b3b0ff',
  command: '#7fd3e2',
  server: '#ffd27a',
  relay: '#ffac9a',
  net: '#8fe0c6',
  epoll: '#f7a3c3',
  splice: '#f5c08f',
  syscall: '#e6de82',
  rules: '#c6da86',
  socks4: '#f2c6ea'
}
const others = '#d8c9a8'

const width = 1000
const rowHeight = 17
/** Narrower than this there is nothing to see. */
const narrowest = 0.6
const letterWidth = 6.1
const legendRow = 20
const entryWidth = 200

const style = `
  text { font: 10px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328; pointer-events: none }
  .legend { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #57606a }
  .head { font-weight: 600; fill: #1f2328 }
  g:hover > rect { opacity: .7 }
  @media (prefers-color-scheme: dark) {
    .legend { fill: #9198a1 }
    .head { fill: #f0f6fc }
  }
`

const percent = (part: number): string => `${(part * 100).toFixed(1)}%`
const fixed = (value: number): string => String(Math.round(value * 10) / 10)

const depthOf = (frame: Frame, least: number): number =>
  frame.total < least ? 0 : 1 + Math.max(0, ...frame.children.map((child) => depthOf(child, least)))

/** As much of a name as there is room for. */
const fitting = (name: string, room: number): string => {
  const letters = Math.floor((room - 4) / letterWidth)
  if (letters < 3) return ''
  return name.length <= letters ? name : `${name.slice(0, letters - 1)}…`
}

/** Draws a tree of calls as a flame graph: callers below, as wide as the time they and what they called took. */
export const drawFlame = (tree: Frame, title: string): string => {
  const scale = width / (tree.total || 1)
  const least = narrowest / scale
  const depth = depthOf(tree, least)
  const owners = shares(tree)
  const perRow = Math.floor(width / entryWidth)
  const top = 26 + Math.ceil(owners.length / perRow) * legendRow + 8
  const height = top + depth * rowHeight

  const box = (frame: Frame, x: number, level: number): string => {
    const { name, place, owner, self, total, children } = frame
    if (total < least) return ''
    const y = height - (level + 1) * rowHeight
    const room = total * scale
    const label = fitting(name, room)
    const about = [
      `${name}${place === '' ? '' : ` (${place})`}`,
      `${percent(total / tree.total)}, itself ${percent(self / tree.total)}`
    ]
    let at = x
    const above = children.map((child) => {
      const drawn = box(child, at, level + 1)
      at += child.total * scale
      return drawn
    })
    return (
      `<g><title>${escaped(about.join('\n'))}</title>` +
      `<rect x="${fixed(x)}" y="${y}" width="${fixed(Math.max(room - 0.5, 0.3))}" height="${rowHeight - 1}" fill="${colours[owner] ?? others}"/>` +
      `${label === '' ? '' : `<text x="${fixed(x + 3)}" y="${y + 11.5}">${escaped(label)}</text>`}</g>\n${above.join('')}`
    )
  }

  const legend = owners.map(({ owner, part }, index) => {
    const x = (index % perRow) * entryWidth
    const y = 26 + Math.floor(index / perRow) * legendRow
    return (
      `<rect x="${x}" y="${y}" width="12" height="12" rx="2" fill="${colours[owner] ?? others}"/>` +
      `<text class="legend" x="${x + 18}" y="${y + 10}">${escaped(owner)} ${percent(part)}</text>`
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${style}</style>
<text class="legend head" x="0" y="13">${escaped(title)}</text>
${legend.join('\n')}
${box(tree, 0, 0)}</svg>
`
}

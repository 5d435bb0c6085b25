import { describe, expect, it } from 'vitest'
import { fillIn, markdownOf, together } from '../src/report/markdown.ts'
import { resultsOf } from './results.ts'

const proxies = [
  { name: 'portable', about: '', missing: undefined },
  { name: 'socksv5', about: '', missing: undefined },
  { name: 'hev', about: '', missing: 'is not installed' }
]
const churn = { ...resultsOf('churn', 'cpu', { portable: [150], socksv5: [200], hev: 'broken' }), proxies }
const idle = { ...resultsOf('idle', 'fresh', { portable: [1234] }), proxies, rounds: 9 }

describe('Markdown', () => {
  it('has a table of what was measured, as the formatter would write it', () => {
    expect(markdownOf(churn).get('costs')).toBe(
      [
        '|          | CPU µs/connection |',
        '| -------- | ----------------: |',
        '| portable |     150 (150–150) |',
        '| socksv5  |     200 (200–200) |'
      ].join('\n')
    )
  })

  it('has what could not be measured below', () => {
    const [workload] = churn.workloads
    const results = { ...workload.results, portable: { metrics: {}, notes: ['refuses'] } }
    expect(markdownOf({ ...churn, workloads: [{ ...workload, results }] }).get('costs')).toMatch(
      /\| socksv5 .*\|\n\nportable: refuses$/
    )
  })

  it('has the goals, the machine, and who was missing', () => {
    const parts = markdownOf(churn)
    expect(parts.get('goals')).toMatch(/portable \/ socksv5 +\| +churn +\| +cpu +\| ≤ 0\.75 \| 0\.750 .* +met \|$/m)
    expect(parts.get('machine')).toBe(
      '2030-01-02, 2 × A <fast> one, Linux 6.1, Node v20.0.0; 3 rounds. Not there: hev.'
    )
  })

  it('has no table of what was not measured', () => {
    expect([...markdownOf(churn).keys()]).toEqual(['machine', 'costs', 'goals'])
  })

  it('is of several runs together, of which the first counts', () => {
    const both = together([churn, idle, resultsOf('churn', 'cpu', { portable: [1] })])
    expect(both.rounds).toBe(3)
    expect(markdownOf(both).get('costs')).toMatch(/^\| portable \| +150 \(150–150\) \| 1,234 \(1,234–1,234\) \|$/m)
  })
})

describe('a page', () => {
  const parts = new Map([['costs', 'new']])

  it('has parts put between their marks, again and again', () => {
    const page = 'before\n\n<!-- costs -->\n\nold\n\n<!-- /costs -->\n\nafter\n'
    const filled = 'before\n\n<!-- costs -->\n\nnew\n\n<!-- /costs -->\n\nafter\n'
    expect(fillIn(page, parts)).toBe(filled)
    expect(fillIn(filled, parts)).toBe(filled)
    expect(fillIn('<!-- costs -->\n<!-- /costs -->\n', parts)).toBe('<!-- costs -->\n\nnew\n\n<!-- /costs -->\n')
  })

  it('keeps what there is nothing new for', () => {
    const page = '<!-- limit -->\n\nold\n\n<!-- /limit -->\n'
    expect(fillIn(page, parts)).toBe(page)
  })
})

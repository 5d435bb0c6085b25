import { describe, expect, it } from 'vitest'
import { goalTable } from '../src/report/goals.ts'
import type { Results } from '../src/report/results.ts'
import { draw } from '../src/report/svg.ts'
import { columns, rounded, workloadTable } from '../src/report/table.ts'
import { resultsOf } from './results.ts'

const churn = resultsOf('churn', 'cpu', {
  portable: [150, 142.5, 157.5],
  socksv5: [200, 190, 210],
  hev: 'the tunnel has ended early'
})

describe('rounded', () => {
  it.each([
    [0, '0.00'],
    [0.0123, '0.012'],
    [0.5, '0.500'],
    [1.006, '1.01'],
    [12.34, '12.3'],
    [123.4, '123'],
    [1234.5, '1,235'],
    [1_234_567, '1,234,567'],
    [-20_327, '-20,327'],
    [Number.NaN, '–']
  ])('writes %d as %s', (value, expected) => {
    expect(rounded(value)).toBe(expected)
  })
})

describe('tables', () => {
  it('put the first column to the left and numbers to the right', () => {
    expect(
      columns([
        ['', 'one'],
        ['long', '1'],
        ['a', '100']
      ]).split('\n')
    ).toEqual(['      one', 'long    1', 'a     100'])
  })

  it('show medians with quartiles, ratios, round by round, to the references that were measured, and what went wrong', () => {
    const table = workloadTable(churn.workloads[0])
    expect(table).toMatch(/^churn: what it is\n\n +µs\/churn +\/ socksv5\n/)
    expect(table).toMatch(/portable +150 \(146–154\) +0\.750\n/)
    expect(table).toMatch(/hev +the tunnel has ended early\n/)
  })

  it('show notes below', () => {
    const results = resultsOf('growth', 'cpu', { hev: [1] })
    const [workload] = results.workloads
    const noted = { ...workload, results: { hev: { metrics: {}, notes: ['of 8000 relays 5000 were opened'] } } }
    expect(workloadTable(noted)).toMatch(/\nhev: of 8000 relays 5000 were opened\n$/)
  })
})

describe('goals', () => {
  it('are met at the bound', () => {
    expect(goalTable(churn)).toMatch(/portable \/ socksv5 +churn +cpu +≤ 0\.75 +0\.750 \(.*\) +met$/m)
  })

  it('are not met beyond it', () => {
    const slower = resultsOf('churn', 'cpu', { portable: [151], socksv5: [200] })
    expect(goalTable(slower)).toMatch(/0\.755 \(.*\) +NOT MET$/m)
  })

  it('can be a bound from below', () => {
    expect(goalTable(resultsOf('rr20', 'rate', { portable: [120], socksv5: [100] }))).toMatch(
      /≥ 1\.2 +1\.20 \(.*\) +met$/m
    )
    expect(goalTable(resultsOf('rr20', 'rate', { portable: [119], socksv5: [100] }))).toMatch(/1\.19 \(.*\) +NOT MET$/m)
  })

  it('can be a ratio of their own', () => {
    const growth = (value: number): string | undefined =>
      goalTable(resultsOf('growth', 'churnGrowth', { epoll: [value] }))
    expect(growth(1.15)).toMatch(/^epoll +growth +churnGrowth +≤ 1\.15 +1\.15 .* met$/m)
    expect(growth(1.2)).toMatch(/1\.20 .* NOT MET$/m)
  })

  it('can hold one workload against another', () => {
    const [growth] = resultsOf('growth', 'memory8000', { epoll: [4400] }).workloads
    const idle = resultsOf('idle', 'fresh', { epoll: [4000] })
    expect(goalTable({ ...idle, workloads: [growth, ...idle.workloads] })).toMatch(
      /^epoll \/ epoll +growth \/ idle +memory8000 \/ fresh +≤ 1\.15 +1\.10 .* met$/m
    )
  })

  it('that want more processors than there are stay open', () => {
    const results = resultsOf('churn', 'rate', { epoll: [100], 'epoll-2': [190] })
    expect(goalTable(results)).toMatch(/epoll-2 \/ epoll +churn +rate +≥ 1\.6 +– +needs 4 processors$/m)
    const larger = { ...results, machine: { ...results.machine, cores: 4 } }
    expect(goalTable(larger)).toMatch(/epoll-2 \/ epoll .* 1\.90 .* met$/m)
    expect(goalTable({ ...larger, workloads: resultsOf('churn', 'rate', { epoll: [100] }).workloads })).toBeUndefined()
  })

  it('are left out where one of the two was not measured', () => {
    expect(goalTable(resultsOf('churn', 'cpu', { portable: [1], socksv5: 'broken' }))).toBeUndefined()
  })
})

const drawn = (results: Results): string => draw(results) ?? ''

describe('the plot', () => {
  it('has a bar for each that was measured, ours marked, the shortest on top', () => {
    const svg = drawn(churn)
    expect([...svg.matchAll(/<path /g)]).toHaveLength(2)
    expect(svg.indexOf('>it-socks, portable<')).toBeLessThan(svg.indexOf('>npm socksv5<'))
    expect(svg).toMatch(/class="ours">it-socks, portable</)
    expect(svg).toMatch(/class="node">npm socksv5</)
    expect(svg).not.toContain('hev')
  })

  it('shows those alone that one would choose between', () => {
    expect(drawn(resultsOf('churn', 'cpu', { handwritten: [1], epoll: [2] }))).not.toContain('handwritten')
  })

  it('cuts off one bar that would make all others short', () => {
    expect(drawn(churn)).not.toContain('<polygon')
    expect(drawn(resultsOf('idle', 'fresh', { hev: [4000], dante: [300_000] }))).toMatch(/<polygon .*300,000/)
  })

  it('knows light and dark, and escapes what it is told', () => {
    const svg = drawn(churn)
    expect(svg).toContain('prefers-color-scheme: dark')
    expect(svg).toContain('A &#60;fast&#62; one')
  })

  it('is none where there is nothing to show', () => {
    expect(draw({ ...churn, workloads: [] })).toBeUndefined()
  })
})

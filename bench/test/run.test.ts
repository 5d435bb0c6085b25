import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statFields } from '../src/process/tree.ts'
import type { Results } from '../src/report/results.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'it-socks-bench-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A run, and everything that descends from it, which its environment is known by. */
interface Run {
  readonly child: ChildProcess
  readonly output: Promise<string>
  readonly exited: Promise<unknown>
  /** The processes that there are now. */
  processes(): Array<{ readonly pid: number; readonly command: string }>
}

const start = (...args: string[]): Run => {
  const mark = randomUUID()
  const child = spawn(process.execPath, [path('../dist/run.js'), ...args], {
    env: { ...process.env, IT_SOCKS_BENCH_MARK: mark, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  return {
    child,
    output: Promise.all([text(child.stdout), text(child.stderr)]).then((parts) => parts.join('')),
    exited: once(child, 'exit'),
    processes: () =>
      readdirSync('/proc')
        .map(Number)
        .filter((pid) => pid > 0)
        .flatMap((pid) => {
          try {
            if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark)) return []
            return [{ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }]
          } catch {
            return []
          }
        })
  }
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await delay(20)
}

// They measure what only Linux has, with tiny rounds: whether it works, not how fast.
describe.skipIf(process.platform !== 'linux')('a run', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    const compiler = spawn(process.execPath, [path('../../node_modules/typescript/bin/tsc'), '-b', path('..')])
    const [output, [code]] = await Promise.all([text(compiler.stdout), once(compiler, 'exit')])
    if (code !== 0) throw new Error(output)
  }, 120_000)

  it('measures each workload on a server of each kind, and leaves no process', async () => {
    const out = join(folder, 'results.json')
    const all = 'churn,rr,bulk,idle,udp,growth,limit'
    const run = start(
      '--rounds',
      '1',
      '--scale',
      '0.003',
      '--only',
      all,
      '--servers',
      'portable,handwritten',
      '--out',
      out
    )
    const output = await run.output
    expect(output).toContain('portable / handwritten')
    const results = JSON.parse(readFileSync(out, 'utf8')) as Results
    for (const { name, metrics, results: byProxy } of results.workloads) {
      for (const [proxy, result] of Object.entries(byProxy)) {
        const measured = 'metrics' in result ? Object.keys(result.metrics) : result.error
        expect([name, proxy, measured]).toEqual([name, proxy, metrics.map(({ name }) => name)])
      }
    }
    expect(results.workloads.map(({ results }) => Object.keys(results).length)).toEqual([
      2, 2, 2, 2, 2, 2, 2, 1, 1, 2, 2
    ])
    expect(readFileSync(join(folder, 'results.svg'), 'utf8')).toMatch(/^<svg /)
    await until(() => run.processes().length === 0)
  })

  it('draws where a server spends its time, and leaves no process', async () => {
    const out = join(folder, 'results.flame.svg')
    const run = start('--flame', 'portable', '--scale', '0.01', '--out', out)
    expect(await run.output).toContain('results.flame.svg')
    const svg = readFileSync(out, 'utf8')
    expect(svg).toMatch(/^<svg [^]*<\/svg>\n$/)
    expect(svg).toContain('(net/')
    await until(() => run.processes().length === 0)
  })

  it('draws nothing of a program that is not Node’s', async () => {
    const run = start('--flame', 'microsocks')
    expect(await run.output).toContain('microsocks is not a program of Node’s')
    expect(await run.exited).toEqual([1, null])
    await until(() => run.processes().length === 0)
  })

  it('measures a server of threads when it is asked to, and writes a page of what was measured', async () => {
    const out = join(folder, 'results.threads.json')
    const measuring = start('--rounds', '1', '--scale', '0.01', '--only', 'churn', '--servers', 'epoll-2', '--out', out)
    expect(await measuring.output).toMatch(/^epoll-2 +\d/m)
    expect(await start('--markdown', out).output).toMatch(/^\| epoll-2 \| +\d/m)
    const page = join(folder, 'results.md')
    writeFileSync(page, '# Page\n\n<!-- costs -->\n<!-- /costs -->\n')
    await start('--markdown', out, '--into', page).output
    expect(readFileSync(page, 'utf8')).toMatch(/^# Page\n\n<!-- costs -->\n\n\|[^]*epoll-2/)
  })

  const endless = [
    '--scale',
    '1000',
    '--only',
    'churn',
    '--servers',
    'handwritten',
    '--out',
    join(folder, 'never.json')
  ]
  const leftovers = (): string[] => readdirSync(folder).filter((name) => !name.startsWith('results.'))

  /** The load process has computed more than it takes to start. */
  const isMeasuring = (run: Run): boolean =>
    run.processes().some(({ pid, command }) => command.includes('load/main') && Number(statFields(pid)?.[11]) > 30)

  it('leaves no process when it is interrupted', async () => {
    const run = start(...endless)
    await until(() => isMeasuring(run))
    run.child.kill('SIGINT')
    expect(await run.exited).toEqual([130, null])
    await until(() => run.processes().length === 0)
    expect(leftovers()).toEqual([])
  })

  it('leaves no process when it is killed', async () => {
    const run = start(...endless)
    await until(() => isMeasuring(run))
    run.child.kill('SIGKILL')
    expect(await run.exited).toEqual([null, 'SIGKILL'])
    await until(() => run.processes().length === 0)
    expect(leftovers()).toEqual([])
  })

  it('says what there is', async () => {
    expect(await start('--list').output).toMatch(/^portable: [^]*\nchurn: /)
    expect(await start('--help').output).toContain('--rounds N')
  })

  it('ends with an error for a name that it does not know', async () => {
    const run = start('--only', 'chrun')
    expect(await run.output).toContain('there is no chrun')
    expect(await run.exited).toEqual([1, null])
    await until(() => run.processes().length === 0)
  })
})

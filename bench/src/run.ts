import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startGenerator } from './load/generator.ts'
import { measureAll, type Course } from './measure-all.ts'
import { chosen, readOptions, usage, type Options } from './options.ts'
import { nodeProxies } from './proxies/node.ts'
import { installedProxies } from './proxies/programs.ts'
import { openPool, type Pool } from './proxies/pool.ts'
import type { Proxy } from './proxies/proxy.ts'
import { goalTable } from './report/goals.ts'
import { thisMachine, type Results, type WorkloadResults } from './report/results.ts'
import { draw } from './report/svg.ts'
import { workloadTable } from './report/table.ts'
import { workloads } from './workloads/index.ts'

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** One line that is written over, where somebody looks on. */
const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`)
}

const list = (proxies: readonly Proxy[]): void => {
  print(proxies.map(({ name, about, missing }) => `${name}: ${missing ?? about}`).join('\n'))
  print(`\n${workloads.map(({ name, title }) => `${name}: ${title}`).join('\n')}`)
}

/** Starts each once, to know what cannot run before it is its turn. */
const tried = (proxies: readonly Proxy[], pool: Pool): Promise<Proxy[]> =>
  Promise.all(
    proxies.map(async (proxy) => {
      if (proxy.missing !== undefined) return proxy
      try {
        const running = await pool.start(proxy)
        await running.stop()
        return proxy
      } catch (error) {
        return { ...proxy, missing: (error as Error).message }
      }
    })
  )

const measure = async (options: Options, asked: readonly Proxy[]): Promise<void> => {
  const chosenWorkloads = chosen(workloads, options.only)
  const folder = mkdtempSync(join(tmpdir(), 'it-socks-bench-'))
  const generator = startGenerator(folder)
  const pool = openPool(generator, folder)
  const clear = async (): Promise<void> => {
    await pool.close()
    await generator.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const interrupt = (): void => {
    void clear().then(() => process.exit(130))
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt).once('SIGHUP', interrupt)

  const measured: WorkloadResults[] = []
  let all = asked
  try {
    all = await tried(asked, pool)
    const proxies = all.filter(({ missing }) => missing === undefined)
    for (const { name, missing } of all) if (missing !== undefined) print(`${name} is left out: ${missing}`)
    const course: Course = { generator, pool, progress, rounds: options.rounds, scale: options.scale }
    for (const workload of chosenWorkloads) {
      measured.push(await measureAll(workload, proxies, course))
      progress('')
      print(workloadTable(measured.at(-1)!))
    }
  } finally {
    await clear()
  }
  const results: Results = {
    when: new Date().toISOString(),
    machine: thisMachine(),
    rounds: options.rounds,
    scale: options.scale,
    proxies: all.map(({ name, about, missing }) => ({ name, about, missing })),
    workloads: measured
  }
  const goals = goalTable(results)
  if (goals !== undefined) print(goals)
  const out = options.out ?? fileURLToPath(new URL('../results/latest.json', import.meta.url))
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, `${JSON.stringify(results, undefined, 1)}\n`)
  print(`saved as ${out} and ${plot(out, results)}`)
}

/** Draws results beside the file that they are in. */
const plot = (file: string, results: Results): string => {
  const path = `${file.replace(/\.json$/, '')}.svg`
  writeFileSync(path, draw(results))
  return path
}

/** Shows results that were saved. */
const show = (file: string): void => {
  const results = JSON.parse(readFileSync(file, 'utf8')) as Results
  for (const workload of results.workloads) print(workloadTable(workload))
  print(goalTable(results) ?? '')
  print(`drawn as ${plot(file, results)}`)
}

const options = readOptions(process.argv.slice(2))
const proxies = [...nodeProxies(), ...installedProxies()]
if (options.help) print(usage)
else if (options.list) list(proxies)
else if (options.plot !== undefined) show(options.plot)
else await measure(options, chosen(proxies, options.servers))
process.exit()

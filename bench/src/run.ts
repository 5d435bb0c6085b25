import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withEquipment } from './equipment.ts'
import { record } from './flame/record.ts'
import { drawFlame } from './flame/svg.ts'
import { callTree } from './flame/tree.ts'
import { measureAll, type Course } from './measure-all.ts'
import { chosen, readOptions, usage, type Options } from './options.ts'
import { nodeProxies } from './proxies/node.ts'
import { installedProxies } from './proxies/programs.ts'
import type { Pool } from './proxies/pool.ts'
import type { Proxy } from './proxies/proxy.ts'
import { goalTable } from './report/goals.ts'
import { fillIn, markdownOf, together } from './report/markdown.ts'
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
  const measured: WorkloadResults[] = []
  const all = await withEquipment(async ({ generator, pool }) => {
    const all = await tried(asked, pool)
    const proxies = all.filter(({ missing }) => missing === undefined)
    for (const { name, missing } of all) if (missing !== undefined) print(`${name} is left out: ${missing}`)
    const course: Course = { generator, pool, progress, rounds: options.rounds, scale: options.scale }
    for (const workload of chosenWorkloads) {
      measured.push(await measureAll(workload, proxies, course))
      progress('')
      print(workloadTable(measured.at(-1)!))
    }
    return all
  })
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
  const out = save(options.out ?? inResults('latest.json'), `${JSON.stringify(results, undefined, 1)}\n`)
  print(`saved as ${out}`)
  plot(out, results)
}

const inResults = (name: string): string => fileURLToPath(new URL(`../results/${name}`, import.meta.url))

const save = (file: string, text: string): string => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

const saved = (file: string): Results => JSON.parse(readFileSync(file, 'utf8')) as Results

/** Draws results beside the file that they are in, where there is something to draw. */
const plot = (file: string, results: Results): void => {
  const picture = draw(results)
  if (picture !== undefined) print(`drawn as ${save(`${file.replace(/\.json$/, '')}.svg`, picture)}`)
}

/** Shows results that were saved. */
const show = (file: string): void => {
  const results = saved(file)
  for (const workload of results.workloads) print(workloadTable(workload))
  print(goalTable(results) ?? '')
  plot(file, results)
}

/** Prints what was saved as parts of a page, or puts it into one. */
const tell = (files: readonly string[], page: string | undefined): void => {
  const parts = markdownOf(together(files.map(saved)))
  if (page === undefined) print([...parts.values()].join('\n\n'))
  else print(`written into ${save(page, fillIn(readFileSync(page, 'utf8'), parts))}`)
}

/** Draws where a server spends its time. */
const flame = async (
  server: string,
  all: readonly Proxy[],
  { only = ['churn'], scale, out }: Options
): Promise<void> => {
  const [proxy] = chosen(all, [server])
  const [workload] = chosen(workloads, only)
  const { profile, span } = await withEquipment((equipment) => record(proxy!, workload!, scale, equipment))
  const title = `${server}, CPU time: ${workload!.title}`
  print(`drawn as ${save(out ?? inResults(`flame-${server}.svg`), drawFlame(callTree(profile, span), title))}`)
}

const options = readOptions(process.argv.slice(2))
const proxies = [...nodeProxies(), ...installedProxies()]
if (options.help) print(usage)
else if (options.list) list(proxies)
else if (options.plot !== undefined) show(options.plot)
else if (options.markdown !== undefined) tell(options.markdown, options.into)
else if (options.flame !== undefined) await flame(options.flame, proxies, options)
else await measure(options, chosen(proxies, options.servers))
process.exit()

import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Equipment } from '../equipment.ts'
import type { Proxy } from '../proxies/proxy.ts'
import type { Workload } from '../workloads/workload.ts'
import type { Profile, Span } from './profile.ts'

/** How often V8 looks, in microseconds. */
const interval = 200

/** Rounds to look at, in place of one. */
const rounds = 5

/** V8's clock. */
const now = (): number => Number(process.hrtime.bigint() / 1000n)

const profiled = (proxy: Proxy, folder: string): Proxy => ({
  ...proxy,
  command(port, place) {
    const [node, ...args] = proxy.command(port, place)
    return [node!, '--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${interval}`, ...args]
  }
})

/** Has V8 watch a server during a workload. The span begins when it has warmed up. @throws {Error} where it is not Node's */
export const record = async (
  proxy: Proxy,
  { name, warmUp = 1 }: Workload,
  scale: number,
  { generator, pool, folder }: Equipment
): Promise<{ readonly profile: Profile; readonly span: Span }> => {
  if (!proxy.tells) throw new Error(`${proxy.name} is not a program of Node’s`)
  const place = join(folder, 'profiles')
  mkdirSync(place)
  const running = await pool.start(profiled(proxy, place))
  const run = (times: number): Promise<unknown> =>
    generator.run({ proxy: running.port, pid: running.pid, workload: name, scale: scale * times })
  await run(warmUp)
  const from = now()
  await run(rounds)
  const to = now()
  // It writes the profile at its end.
  await running.end()
  const [file] = readdirSync(place)
  if (file === undefined) throw new Error(`${proxy.name} has left no profile`)
  return { profile: JSON.parse(readFileSync(join(place, file), 'utf8')) as Profile, span: { from, to } }
}

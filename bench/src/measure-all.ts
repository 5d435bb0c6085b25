import type { Generator } from './load/generator.ts'
import type { Proxy } from './proxies/proxy.ts'
import type { Pool } from './proxies/pool.ts'
import type { RunningProxy } from './proxies/start.ts'
import type { Result, WorkloadResults } from './report/results.ts'
import { summarize } from './report/statistics.ts'
import type { Sample, Workload } from './workloads/workload.ts'

export interface Course {
  readonly generator: Generator
  readonly rounds: number
  readonly scale: number
  readonly pool: Pool
  /** Told what happens now. */
  readonly progress: (line: string) => void
}

/** A proxy in its turns. */
class Contestant {
  readonly proxy: Proxy
  readonly #workload: Workload
  readonly #course: Course
  readonly #samples: Sample[] = []
  readonly #notes = new Set<string>()
  #running: RunningProxy | undefined
  #error: string | undefined

  constructor(proxy: Proxy, workload: Workload, course: Course) {
    this.proxy = proxy
    this.#workload = workload
    this.#course = course
  }

  async turn(round: number): Promise<void> {
    if (this.#error !== undefined) return
    try {
      const running = (this.#running ??= await this.#course.pool.start(this.proxy, this.#workload.descriptors))
      const { sample, notes } = await this.#course.generator.run({
        proxy: running.port,
        pid: running.pid,
        workload: this.#workload.name,
        scale: this.#course.scale * (round === 0 ? (this.#workload.warmUp ?? 1) : 1)
      })
      for (const note of notes) this.#notes.add(note)
      if (round > 0) this.#samples.push(sample)
      if (this.#workload.fresh !== undefined) await this.leave()
    } catch (error) {
      this.#error = (error as Error).message
      this.#course.progress(`${this.proxy.name}: ${this.#error}`)
      await this.leave()
    }
  }

  async leave(): Promise<void> {
    await this.#running?.stop()
    this.#running = undefined
  }

  result(): Result {
    if (this.#error !== undefined) return { error: this.#error }
    const metrics = this.#workload.metrics.map(({ name }): [string, number[]] => [
      name,
      this.#samples.map((sample) => sample[name]).filter((value) => value !== undefined)
    ])
    const summaries = metrics
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => [name, summarize(values)])
    return { metrics: Object.fromEntries(summaries), notes: [...this.#notes] }
  }
}

/** Measures a workload on all proxies in turns, so that what else the machine does falls on all alike. */
export const measureAll = async (
  workload: Workload,
  proxies: readonly Proxy[],
  course: Course
): Promise<WorkloadResults> => {
  const contestants = proxies
    .filter(({ udp }) => udp || workload.udp !== true)
    .map((proxy) => new Contestant(proxy, workload, course))
  // Round 0 warms up; where each round has a proxy of its own there is nothing to warm.
  const first = workload.fresh === undefined ? 0 : 1
  const last = Math.min(course.rounds, workload.fresh ?? course.rounds)
  for (let round = first; round <= last; round++) {
    for (const contestant of contestants) {
      course.progress(`${workload.name}, round ${round} of ${last}: ${contestant.proxy.name}`)
      await contestant.turn(round)
    }
  }
  for (const contestant of contestants) await contestant.leave()
  const { name, title, metrics, compared } = workload
  return {
    name,
    title,
    metrics,
    compared,
    results: Object.fromEntries(contestants.map((contestant) => [contestant.proxy.name, contestant.result()]))
  }
}

import { cpuBetween, cpuTimes } from '../process/cpu.ts'

/** What some work took. */
export interface Cost {
  readonly seconds: number
  /** CPU seconds of the proxy. */
  readonly cpu: number
  /** How much of the time the load generator itself was busy: near 1, rates say more about it than about the proxy. */
  readonly load: number
}

/** Measures what a proxy spends on some work. */
export const measure = (proxy: number, work: () => void): Cost => {
  const before = cpuTimes(proxy)
  const own = process.cpuUsage()
  const start = performance.now()
  work()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(own)
  return { seconds, cpu: cpuBetween(before, cpuTimes(proxy)), load: (user + system) / 1e6 / seconds }
}

import { startEcho } from './client.ts'
import { startProxy } from './proxy-process.ts'
import { workloads } from './workloads.ts'

const rounds = Number(process.argv[2] ?? 5)
const names = ['it-socks', 'socksv5']

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const echo = await startEcho()
const proxies = await Promise.all(names.map(startProxy))

for (const workload of workloads) {
  const cost = new Map(names.map((name) => [name, [] as number[]]))
  const speed = new Map(names.map((name) => [name, [] as number[]]))
  // In turns, so that what else the machine does falls on all alike; round 0 warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const proxy of proxies) {
      const cpu = proxy.cpu()
      const start = performance.now()
      const { units } = await workload.run(proxy.port, echo.port)
      if (round === 0) continue
      cost.get(proxy.name)!.push(((proxy.cpu() - cpu) / units) * 1e6)
      speed.get(proxy.name)!.push((units / (performance.now() - start)) * 1000)
    }
  }
  const reference = median(cost.get('socksv5')!)
  console.table(
    names.map((name) => ({
      workload: workload.name,
      proxy: name,
      [`CPU µs/${workload.unit}`]: Math.round(median(cost.get(name)!) * 10) / 10,
      'of socksv5': Math.round((median(cost.get(name)!) / reference) * 100) / 100,
      [`${workload.unit}s/s`]: Math.round(median(speed.get(name)!))
    }))
  )
}

await Promise.all(proxies.map((proxy) => proxy.stop()))
echo.stop()

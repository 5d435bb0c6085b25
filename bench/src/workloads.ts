import { randomBytes } from 'node:crypto'
import { openTunnel } from './client.ts'

/** Something to do through a proxy; `units` is what its cost is divided by. */
export interface Workload {
  readonly name: string
  readonly unit: string
  run(proxy: number, echo: number): Promise<{ units: number }>
}

const parallel = async (workers: number, work: () => Promise<void>): Promise<void> => {
  await Promise.all(Array.from({ length: workers }, work))
}

const message = randomBytes(64)
const block = randomBytes(64 * 1024)

/** Handshake, connect, 64 bytes each way, close. */
const churn: Workload = {
  name: 'churn',
  unit: 'connection',
  async run(proxy, echo) {
    const units = 3000
    let left = units
    await parallel(20, async () => {
      while (left-- > 0) {
        const tunnel = await openTunnel(proxy, echo)
        await tunnel.roundTrip(message)
        await tunnel.finish()
      }
    })
    return { units }
  }
}

/** 64 bytes each way, again and again on open connections. */
const roundTrips: Workload = {
  name: 'round trips',
  unit: 'round trip',
  async run(proxy, echo) {
    const each = 1500
    await parallel(20, async () => {
      const tunnel = await openTunnel(proxy, echo)
      for (let i = 0; i < each; i++) await tunnel.roundTrip(message)
      await tunnel.finish()
    })
    return { units: 20 * each }
  }
}

/** As many bytes as fit, up and down at once; every block is compared. */
const bulk: Workload = {
  name: 'bulk',
  unit: 'MB',
  async run(proxy, echo) {
    const blocks = 2500
    await parallel(4, async () => {
      const tunnel = await openTunnel(proxy, echo)
      for (let i = 0; i < blocks; i++) await tunnel.roundTrip(block)
      await tunnel.finish()
    })
    return { units: (4 * blocks * block.length * 2) / 1e6 }
  }
}

export const workloads: readonly Workload[] = [churn, roundTrips, bulk]

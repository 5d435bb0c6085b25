import type { DatagramTraffic } from '@it-socks/stage'

type Watcher = Parameters<DatagramTraffic['watch']>[0]

/** Tells a watcher what passes. */
export interface PassingTraffic {
  readonly passed: Watcher
  readonly watch: DatagramTraffic['watch']
}

/** The client may send as soon as it has its reply, which is before anybody watches: that is told later, as a sum. */
export const countTraffic = (): PassingTraffic => {
  const early = { up: 0, down: 0 }
  let watcher: Watcher = (direction, length) => {
    early[direction] += length
  }
  return {
    passed: (direction, length) => watcher(direction, length),
    watch(passed) {
      watcher = passed
      if (early.up > 0) passed('up', early.up)
      if (early.down > 0) passed('down', early.down)
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import type { Generator } from '../load/generator.ts'
import type { Proxy } from './proxy.ts'
import { startProxy, type RunningProxy, type Started } from './start.ts'

/** All proxies that run, so that none outlives the benchmark, however that ends. */
export interface Pool {
  /** @throws {Error} where the proxy does not start */
  start(proxy: Proxy, descriptors?: number): Promise<RunningProxy>
  /** Ends all of them, and starts none any more. */
  close(): Promise<void>
}

/** After many connections it may take a minute before a port is free again. */
const attempts = 60

/** `generator` ends the proxies if we cannot; `folder` is for their configurations. */
export const openPool = (generator: Generator, folder: string): Pool => {
  const running = new Set<Started>()
  let isClosed = false
  const started = (process: Started): void => {
    running.add(process)
    generator.guard(process.pid)
  }

  const startOnce = async (proxy: Proxy, descriptors: number | undefined): Promise<RunningProxy> => {
    if (isClosed) throw new Error('the benchmark is over')
    let own: Started | undefined
    const over = (): void => {
      if (own === undefined) return
      running.delete(own)
      generator.forget(own.pid)
    }
    try {
      const proxyProcess = await startProxy(proxy, {
        folder,
        descriptors,
        started(process) {
          own = process
          started(process)
        }
      })
      const { pid, port } = proxyProcess
      return { pid, port, stop: () => proxyProcess.stop().then(over), end: () => proxyProcess.end().then(over) }
    } catch (error) {
      over()
      throw error
    }
  }

  return {
    async start(proxy, descriptors) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await startOnce(proxy, descriptors)
        } catch (error) {
          if (attempt === attempts || !(error as Error).message.includes('EADDRINUSE')) throw error
          await delay(1000)
        }
      }
    },
    async close() {
      isClosed = true
      await Promise.all([...running].map((process) => process.stop()))
    }
  }
}

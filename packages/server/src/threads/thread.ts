import { parentPort, workerData } from 'node:worker_threads'
import { ConfigurationError } from '@it-socks/protocol'
import { createServer, type CloseOptions } from '../server.ts'
import { failureOf, type Order, type Report, type ThreadData } from './messages.ts'
import type { ThreadModule } from './serve-in-threads.ts'
import { sharedRelays } from './shared-relays.ts'

// What a thread of `serveInThreads` runs: one server, by the orders of the thread that has started it.

const port = parentPort!
const { module, index, threads, data, endpoints, relays } = workerData as ThreadData

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
const report = (message: Report): void => port.postMessage(message)

/** The part of this thread of what all may have together. */
const share = (all: number): number => Math.floor(all / threads) + (index < all % threads ? 1 : 0)

const start = async (): Promise<void> => {
  const made = (await import(module)) as ThreadModule
  const thread = { index, threads, data }
  const options = await made.default(thread)
  const { maxConnections = Infinity } = options
  if (maxConnections < threads) {
    throw new ConfigurationError(`${maxConnections} connections are too few for ${threads} threads`)
  }
  const server = createServer({
    ...options,
    ...(endpoints && { listen: endpoints }),
    ...(maxConnections < Infinity && { maxConnections: share(maxConnections) }),
    reusePort: true,
    relays: sharedRelays(relays)
  })
  const end = async (options: CloseOptions): Promise<void> => {
    await server.close(options)
    await made.stopped?.(thread)
    port.close()
  }
  made.started?.(server, thread)
  port.on('message', (order: Order) => {
    if ('count' in order) return report({ counted: order.count, open: server.sessions.size })
    return void end(order.close)
  })
  report({ listening: await server.listen() })
}

start().catch((error: unknown) => report({ failed: failureOf(error) }))

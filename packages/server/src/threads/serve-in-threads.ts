import { Worker } from 'node:worker_threads'
import type { Endpoint } from '@it-socks/net'
import { ConfigurationError } from '@it-socks/protocol'
import { after } from '@it-socks/stage'
import type { ServerOptions } from '../options.ts'
import type { CloseOptions, Server } from '../server.ts'
import { errorOf, type Order, type Report, type ThreadData } from './messages.ts'
import { allocateRelays } from './shared-relays.ts'

/** One of several threads that serve. */
export interface Thread {
  /** Counts up from 0. */
  readonly index: number
  readonly threads: number
  /** What `serveInThreads` was given for its module. */
  readonly data: unknown
}

/** What a module for `serveInThreads` exports. Each thread loads it anew: functions cannot go from thread to thread. */
export interface ThreadModule {
  /**
   * Makes the options of a thread's server. All threads listen where the first does, and `maxConnections` is for all of
   * them together. The `engine` has to know `reusePort`: `epoll()` does, `portable` since Node 22.12.
   */
  readonly default: (thread: Thread) => ServerOptions | Promise<ServerOptions>
  /** Gets the server before it listens: for its events. */
  readonly started?: (server: Server, thread: Thread) => void
  /** Called when the server has closed, before its thread ends. */
  readonly stopped?: (thread: Thread) => void | Promise<void>
}

export interface ThreadsOptions {
  /** The URL of a {@link ThreadModule}. */
  module: URL
  /** How many threads. As many as there are processors to spare is a good number. */
  threads: number
  /** Given to the module; it is copied (see `structuredClone`). Default: nothing. */
  data?: unknown
  /** Options of Node's for the threads. Default: those of this process. */
  execArgv?: string[]
}

/** Servers in threads, which listen at the same place. */
export interface Threads {
  /** Where they listen. */
  readonly endpoints: readonly Endpoint[]
  /** How many sessions are open in all of them now. */
  open(): Promise<number>
  /** Stops listening, lets open sessions drain, resets those that remain. Resolves when all threads have ended. */
  close(options?: CloseOptions): Promise<void>
  /** Rejects where a thread dies of an exception that nobody caught, or exits. It takes sessions with it: end the process. */
  readonly died: Promise<never>
}

/**
 * Serves in several threads, each with a server, a listener and an event loop of its own; the system spreads the
 * connections over them.
 *
 * Rejects with what a thread's server threw or could not listen with, and then none is left.
 *
 * @throws {ConfigurationError} for a number of threads that is none
 *
 * @example
 *
 * ```ts
 * import { serveInThreads } from '@it-socks/server'
 *
 * // options.js: export default () => ({ engine: epoll(), methods: [usernamePassword({ verify })] })
 * const start = () => serveInThreads({ module: new URL('options.js', import.meta.url), threads: 4 })
 * ```
 */
export const serveInThreads = async ({ module, threads, data, execArgv }: ThreadsOptions): Promise<Threads> => {
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new ConfigurationError(`the number of threads is a whole number above zero, not ${threads}`)
  }
  const relays = allocateRelays()
  const startOne = (index: number, endpoints?: readonly Endpoint[]): Running =>
    startThread({ module: module.href, index, threads, data, endpoints, relays }, execArgv)
  const first = startOne(0)
  const running = [first]
  try {
    const endpoints = await first.listening
    for (let index = 1; index < threads; index++) running.push(startOne(index, endpoints))
    await Promise.all(running.map(({ listening }) => listening))
    return {
      endpoints,
      async open() {
        const counts = await Promise.all(running.map(({ count }) => count()))
        return counts.reduce((sum, count) => sum + count, 0)
      },
      async close(options = {}) {
        await Promise.all(running.map(({ close }) => close(options)))
      },
      died: firstOf(running)
    }
  } catch (error) {
    await Promise.all(running.map(({ end }) => end()))
    throw error
  }
}

/** Rejects as the first that dies; nobody has to listen. */
const firstOf = (running: readonly Running[]): Promise<never> => {
  const died = Promise.race(running.map(({ died }) => died))
  died.catch(() => {})
  return died
}

/** A thread that was started. */
interface Running {
  readonly listening: Promise<readonly Endpoint[]>
  readonly died: Promise<never>
  readonly count: () => Promise<number>
  readonly close: (options: CloseOptions) => Promise<void>
  readonly end: () => Promise<void>
}

// Tests run on the sources, which a worker of Node 20 cannot: it runs what is built of them.
const program = new URL(import.meta.url.endsWith('.ts') ? '../../dist/threads/thread.js' : 'thread.js', import.meta.url)

/** As many relays begin V8 would take 48 MB for what is new, in each thread, and keep them: an idle relay has 3 KB. */
const maxYoungGenerationSizeMb = 12

/** How long a thread that is not needed any more may take to end by itself, in milliseconds. */
const patience = 1000

const startThread = (data: ThreadData, execArgv: string[] | undefined): Running => {
  const worker = new Worker(program, {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb },
    // What this process was started with counts for its threads as well; said once more, some of it would be refused.
    ...(execArgv && { execArgv })
  })
  let counted = 0
  let hasEnded = false
  let isToEnd = false
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  const order = (message: Order): void => worker.postMessage(message)

  const answer = <T>(read: (report: Report) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the thread has ended'))
      const heard = (report: Report): void => {
        const value = 'failed' in report ? undefined : read(report)
        if (value === undefined && !('failed' in report)) return
        worker.off('message', heard).off('error', reject).off('exit', ended)
        if ('failed' in report) reject(errorOf(report.failed))
        else resolve(value as T)
      }
      worker.on('message', heard).on('error', reject).on('exit', ended)
    })

  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      hasEnded = true
      resolve()
    })
  })
  const died = new Promise<never>((_, reject) => {
    worker.on('error', reject).once('exit', (code) => {
      if (!isToEnd) reject(new Error(`a thread has ended by itself, with the exit code ${code}`))
    })
  })
  died.catch(() => {})
  return {
    listening: answer((report) => ('listening' in report ? report.listening : undefined)),
    died,
    async count() {
      if (hasEnded) return 0
      const count = ++counted
      const open = answer((report) => ('counted' in report && report.counted === count ? report.open : undefined))
      order({ count })
      return open.catch(() => 0)
    },
    async close(options) {
      isToEnd = true
      order({ close: options })
      await exited
    },
    async end() {
      isToEnd = true
      // What it listens with it has to close itself. One that is still waiting for its options will not hear of it.
      order({ close: {} })
      const stop = after(patience, () => void worker.terminate())
      await exited
      stop()
    }
  }
}

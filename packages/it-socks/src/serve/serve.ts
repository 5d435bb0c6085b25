import { constants } from 'node:os'
import type { Endpoint } from '@it-socks/net'
import { ConfigurationError } from '@it-socks/protocol'
import {
  createServer,
  limitYoungGeneration,
  serveInThreads,
  type CloseOptions,
  type Server,
  type ServerOptions
} from '@it-socks/server'
import { UsageError } from '../failure.ts'
import { configureLog, flushLog, logServer } from '../log/log.ts'
import { formatEndpoint, tryWith } from './endpoint.ts'
import { listenFailure } from './listen-failure.ts'
import { logSessions } from './log-sessions.ts'
import { prepare, type Prepared, type ServeOptions } from './prepare.ts'
import { threadData } from './thread-data.ts'

/** A server, in this thread or in others. */
interface Serving {
  readonly endpoints: readonly Endpoint[]
  /** How many sessions are open. */
  open(): Promise<number>
  close(options: CloseOptions): Promise<void>
  /** Rejects where a thread dies. */
  readonly died?: Promise<never>
}

/**
 * Serves until SIGTERM or SIGINT, then drains.
 *
 * @param args the command line that the options are of, for other threads to read
 * @throws {UsageError} for users or rules that cannot be read, an engine that this machine cannot run, or an open proxy that
 * nobody asked for by name
 * @throws {ListenFailure}
 */
export const serve = async (options: ServeOptions, args: readonly string[]): Promise<void> => {
  const { workers, drain: patience, logLevel: level, logFormat: format } = options
  const prepared = await prepare(options)
  const server = makeServer(prepared.server)
  configureLog({ level, format })
  if (workers === 1) limitYoungGeneration()
  for (const { name } of prepared.rules) logServer('debug', `rule: ${name}`, { event: 'rule', rule: name })
  const serving = await tryToListen(prepared, () => (workers === 1 ? serveHere(server) : serveThere(args, workers)))
  announce(serving.endpoints, prepared, workers)
  const stopped = nextStop().then((signal) => drain(serving, signal, patience))
  await (serving.died === undefined ? stopped : Promise.race([stopped, serving.died]))
  await flushLog()
}

const makeServer = (options: ServerOptions): Server => {
  try {
    return createServer(options)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new UsageError(`${error.message} (--user, --users, --allow-anonymous)`, { cause: error })
  }
}

const serveHere = async (server: Server): Promise<Serving> => {
  logSessions(server)
  const endpoints = await server.listen()
  return { endpoints, open: async () => server.sessions.size, close: (options) => server.close(options) }
}

/** The server that was made here has shown that there can be one. */
const serveThere = (args: readonly string[], threads: number): Promise<Serving> =>
  serveInThreads({ module: new URL('thread.js', import.meta.url), threads, data: threadData(args) })

const tryToListen = async ({ server: { listen } }: Prepared, start: () => Promise<Serving>): Promise<Serving> => {
  try {
    return await start()
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigurationError') {
      throw new UsageError(`${error.message} (--engine, --workers)`, { cause: error })
    }
    throw await listenFailure([listen].flat(), error as NodeJS.ErrnoException)
  }
}

const announce = (bound: readonly Endpoint[], { server, hasUsers }: Prepared, workers: number): void => {
  const endpoints = bound.map(formatEndpoint)
  const { name: engine } = server.engine
  const by = workers === 1 ? engine : `${engine}, ${workers} workers`
  logServer('info', `listening on ${endpoints.join(', ')} (${by})`, {
    event: 'listening',
    endpoints,
    engine,
    workers,
    try: tryWith(bound[0]!, hasUsers)
  })
}

const stops = ['SIGTERM', 'SIGINT'] as const
type Stop = (typeof stops)[number]

/** Resolves with the next signal to stop, instead of dying of it. */
const nextStop = (): Promise<Stop> =>
  new Promise((resolve) => {
    const stop = (signal: Stop): void => {
      for (const each of stops) process.off(each, stop)
      resolve(signal)
    }
    for (const each of stops) process.on(each, stop)
  })

const drain = async (serving: Serving, signal: Stop, milliseconds: number): Promise<void> => {
  void nextStop().then((second) => process.exit(128 + constants.signals[second]))
  const open = await serving.open()
  const closed = serving.close({ drain: milliseconds })
  const patience = open === 0 ? '' : `: up to ${milliseconds / 1000} s for ${open} open; once more to end at once`
  logServer('info', `${signal}, stopping${patience}`, { event: 'stopping', signal, open })
  await closed
  logServer('info', 'stopped', { event: 'stopped' })
}

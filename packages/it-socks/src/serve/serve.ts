import { constants } from 'node:os'
import type { Endpoint } from '@it-socks/net'
import { ConfigurationError } from '@it-socks/protocol'
import { createServer, type Server, type ServerOptions } from '@it-socks/server'
import { configureLog, flushLog, logServer, type LogOptions } from '../log/log.ts'
import { UsageError } from '../failure.ts'
import { formatEndpoint, tryWith } from './endpoint.ts'
import { listenFailure } from './listen-failure.ts'
import { logSessions } from './log-sessions.ts'
import { readRules } from './rules.ts'
import { serverOptions, type ServerSettings } from './server-options.ts'
import { checkNames, readUsers, type User } from './users.ts'

/** What `it-socks serve` is told; times in milliseconds. */
export interface ServeOptions extends ServerSettings {
  drain: number
  logLevel: LogOptions['level']
  logFormat: LogOptions['format']
}

/**
 * Serves until SIGTERM or SIGINT, then drains.
 *
 * @throws {UsageError} for users or rules that cannot be read, or an open proxy that nobody asked for by name
 * @throws {ListenFailure}
 */
export const serve = async (options: ServeOptions): Promise<void> => {
  const { listen: endpoints = standard, drain: patience, logLevel: level, logFormat: format } = options
  const users = await gatherUsers(options)
  const rules = await readRules(options.rules)
  const server = makeServer({ ...serverOptions(options, users, rules), listen: endpoints })
  configureLog({ level, format })
  logSessions(server)
  for (const { name } of rules) logServer('debug', `rule: ${name}`, { event: 'rule', rule: name })
  announce(await listen(server, endpoints), users.length > 0)
  await drain(server, await nextStop(), patience)
  await flushLog()
}

const standard: readonly Endpoint[] = [{ host: '127.0.0.1', port: 1080 }]

const gatherUsers = async ({ user = [], users: paths = [] }: ServeOptions): Promise<User[]> => {
  const read = await Promise.all(paths.map(readUsers))
  const users = [...user, ...read.flat()]
  checkNames(users)
  return users
}

const makeServer = (options: ServerOptions): Server => {
  try {
    return createServer(options)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new UsageError(`${error.message} (--user, --users, --allow-anonymous)`, { cause: error })
  }
}

const listen = async (server: Server, endpoints: readonly Endpoint[]): Promise<Endpoint[]> => {
  try {
    return await server.listen()
  } catch (error) {
    throw await listenFailure(endpoints, error as NodeJS.ErrnoException)
  }
}

const announce = (bound: readonly Endpoint[], hasUsers: boolean): void => {
  const endpoints = bound.map(formatEndpoint)
  logServer('info', `listening on ${endpoints.join(', ')}`, {
    event: 'listening',
    endpoints,
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

const drain = async (server: Server, signal: Stop, milliseconds: number): Promise<void> => {
  void nextStop().then((second) => process.exit(128 + constants.signals[second]))
  const open = server.sessions.size
  const closed = server.close({ drain: milliseconds })
  const patience = open === 0 ? '' : `: up to ${milliseconds / 1000} s for ${open} open; once more to end at once`
  logServer('info', `${signal}, stopping${patience}`, { event: 'stopping', signal, open })
  await closed
  logServer('info', 'stopped', { event: 'stopped' })
}

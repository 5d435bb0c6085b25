import type { Rule } from '@it-socks/rules'
import type { ServerOptions } from '@it-socks/server'
import type { LogOptions } from '../log/log.ts'
import { chooseEngine, type EngineName } from './engine.ts'
import { readRules } from './rules.ts'
import { serverOptions, type ServerSettings } from './server-options.ts'
import { checkNames, readUsers, type User } from './users.ts'

/** What `it-socks serve` is told; times in milliseconds. */
export interface ServeOptions extends ServerSettings {
  engine: EngineName
  /** How many threads serve. */
  workers: number
  drain: number
  logLevel: LogOptions['level']
  logFormat: LogOptions['format']
}

/** What a server is made of: options, with everything read that they name. */
export interface Prepared {
  readonly server: ServerOptions & Required<Pick<ServerOptions, 'listen' | 'engine'>>
  readonly rules: readonly Rule[]
  readonly hasUsers: boolean
}

/** @throws {UsageError} for users or rules that cannot be read, or an engine that this machine cannot run */
export const prepare = async (options: ServeOptions): Promise<Prepared> => {
  const engine = await chooseEngine(options.engine)
  const users = await gatherUsers(options)
  const rules = await readRules(options.rules)
  const { listen = { host: '127.0.0.1', port: 1080 } } = options
  return {
    server: { ...serverOptions(options, engine, users, rules), listen, engine },
    rules,
    hasUsers: users.length > 0
  }
}

const gatherUsers = async ({ user = [], users: paths = [] }: ServeOptions): Promise<User[]> => {
  const read = await Promise.all(paths.map(readUsers))
  const users = [...user, ...read.flat()]
  checkNames(users)
  return users
}

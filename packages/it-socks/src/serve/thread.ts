import type { Server, ServerOptions, Thread } from '@it-socks/server'
import { Command } from 'commander'
import { configureLog, flushLog } from '../log/log.ts'
import { serveCommand } from './command.ts'
import { logSessions } from './log-sessions.ts'
import { prepare, type ServeOptions } from './prepare.ts'
import { knowTexts } from './read-text.ts'
import type { ThreadData } from './thread-data.ts'

// The module that `--workers` has its threads load: see `ThreadModule` of `@it-socks/server`.

export default async ({ data }: Thread): Promise<ServerOptions> => {
  const { args, texts, terminals } = data as ThreadData
  knowTexts(texts)
  const options = await readOptions(args)
  configureLog({ level: options.logLevel, format: options.logFormat, terminals })
  const { server } = await prepare(options)
  return server
}

export const started = (server: Server, { index }: Thread): void => logSessions(server, index + 1)

export const stopped = (): Promise<void> => flushLog()

const readOptions = async (args: readonly string[]): Promise<ServeOptions> => {
  const all = new Command()
  let read: ServeOptions | undefined
  serveCommand(all, args, async (options) => {
    read = options
  })
  await all.parseAsync(args, { from: 'user' })
  return read!
}

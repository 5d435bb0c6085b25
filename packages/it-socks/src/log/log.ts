import type { WriteStream } from 'node:tty'
import { configureSync, getJsonLinesFormatter, getLogger, type LogLevel, type Sink } from '@logtape/logtape'
import { lineWriter, type LineWriterOptions } from './line-writer.ts'
import { prettyFormatter } from './pretty.ts'

export type Level = Extract<LogLevel, 'debug' | 'info' | 'warning' | 'error'>
export const levels: readonly Level[] = ['debug', 'info', 'warning', 'error']

/** `auto` is `pretty` at a terminal and `json` elsewhere, for stdout and stderr each by itself. */
export type Format = 'auto' | 'pretty' | 'json'
export const formats: readonly Format[] = ['auto', 'pretty', 'json']

export interface LogOptions {
  /** The least level that is logged. */
  level: Level
  format: Format
  /** Which of the two is a terminal. Default: what this thread sees, and only the main thread sees it. */
  terminals?: Terminals
}

/** What each stream is written to. */
export interface Terminals {
  readonly stdout: Terminal
  readonly stderr: Terminal
}

type Terminal = 'none' | 'plain' | 'colours'

const terminalOf = (stream: WriteStream): Terminal =>
  !stream.isTTY ? 'none' : stream.hasColors() ? 'colours' : 'plain'

/** What the streams of the main thread are. */
export const terminals = (): Terminals => ({ stdout: terminalOf(process.stdout), stderr: terminalOf(process.stderr) })

/** Logs a text for people and fields for programs, the first of which is what happened: `event`. */
export type Log = (level: Level, text: string, fields: Readonly<Record<string, unknown>> & { event: string }) => void

/** LogTape would fill in what stands in braces, quoted: our texts are complete. */
const logTo = (name: string): Log => {
  const logger = getLogger(['it-socks', name])
  return (level, text, fields) => logger[level](text.replaceAll(/[{}]/g, '$&$&'), fields)
}

/** What the sessions did, on stdout. */
export const logSession: Log = logTo('session')

/** What the server does, on stderr. */
export const logServer: Log = logTo('server')

/** Sets up where the log goes: sessions to stdout, all else to stderr. Once in a process. */
export const configureLog = ({ level, format, terminals: { stdout, stderr } = terminals() }: LogOptions): void => {
  configureSync({
    sinks: {
      stdout: streamSink(process.stdout, format, stdout, {
        onDropped: (count) =>
          logServer('warning', `stdout is read too slowly: dropped ${count} lines`, { event: 'dropped' }),
        onBroken: ({ message }) =>
          logServer('warning', `sessions are no longer logged: stdout: ${message}`, { event: 'unread' })
      }),
      stderr: streamSink(process.stderr, format, stderr)
    },
    loggers: [
      { category: ['it-socks', 'session'], sinks: ['stdout'], lowestLevel: level },
      { category: ['it-socks', 'server'], sinks: ['stderr'], lowestLevel: level },
      { category: ['logtape', 'meta'], sinks: ['stderr'], lowestLevel: 'error' }
    ]
  })
}

/** Resolves when the sessions' log is written, or when its reader has had a second for that. */
export const flushLog = (): Promise<void> =>
  new Promise((resolve) => {
    if (process.stdout.writableLength === 0) return resolve()
    setTimeout(resolve, 1000)
    process.stdout.write('', () => resolve())
  })

const streamSink = (stream: WriteStream, format: Format, terminal: Terminal, options?: LineWriterOptions): Sink => {
  const pretty = format === 'pretty' || (format === 'auto' && terminal !== 'none')
  const colours = terminal === 'colours'
  const formatter = pretty
    ? prettyFormatter({ colours })
    : getJsonLinesFormatter({ properties: 'flatten', message: 'rendered' })
  const write = lineWriter(stream, options)
  return (record) => write(formatter(record))
}

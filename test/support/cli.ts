import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, inject } from 'vitest'
import { engineName } from './engine.ts'

/** The program `it-socks`, built by `build.ts`. */
export const bin: string = fileURLToPath(new URL('../../packages/it-socks/dist/bin.js', import.meta.url))

export interface CliOptions {
  /** Environment variables to set; nothing else of it-socks’ own is inherited. */
  env?: Readonly<Record<string, string>>
}

/** How a program ended, and all it said. */
export interface Ended {
  /** The exit code, or null where a signal killed it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Stdout as it came, and as text. */
  readonly bytes: Buffer
  readonly stdout: string
  readonly stderr: string
}

/** `it-socks`, running. */
export interface Cli {
  readonly pid: number
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves with the first line on stdout or stderr that matches, now or later; rejects where it ends without one. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves with the first line of JSON on stdout or stderr that has this `event` and fields, now or later. */
  event(event: string, fields?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>
  kill(signal?: NodeJS.Signals): void
  /** Resolves when it is gone and its output is complete. */
  readonly ended: Promise<Ended>
}

const running = new Set<Cli>()

afterAll(async () => {
  for (const cli of running) cli.kill('SIGKILL')
  await Promise.all([...running].map(({ ended }) => ended))
})

/** Starts `it-socks` with these arguments. What still runs after the test file is killed. */
export const startCli = (args: readonly string[], { env = {} }: CliOptions = {}): Cli => {
  const failure = inject('buildFailure')
  if (failure !== '') throw new Error(`the command line could not be built:\n${failure}`)
  const child = spawn(process.execPath, [bin, ...args], { env: { ...inherited(), ...env }, stdio: 'pipe' })
  const stdout = transcribe(child.stdout)
  const stderr = transcribe(child.stderr)
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    running.delete(cli)
    const bytes = stdout.bytes()
    return { code, signal, bytes, stdout: bytes.toString(), stderr: stderr.bytes().toString() }
  })

  /** The first complete line of either stream for which `match` has something, now or later. */
  const find = <T>(what: string, match: (line: string) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = [...stdout.lines(), ...stderr.lines()].map(match).find((match) => match !== undefined)
        if (found === undefined) return
        child.stdout.off('data', look)
        child.stderr.off('data', look)
        resolve(found)
      }
      child.stdout.on('data', look)
      child.stderr.on('data', look)
      look()
      ended
        .then(({ code, stdout, stderr }) =>
          reject(new Error(`it-socks ended (${code}) without ${what}:\n${stdout}${stderr}`))
        )
        .catch(reject)
    })

  const cli: Cli = {
    pid: child.pid ?? 0,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    line: (pattern) => find(`a line like ${pattern}`, (line) => pattern.exec(line) ?? undefined),
    event: (event, fields = {}) =>
      find(`the event ${event}`, (line) => {
        const record = parse(line)
        const wanted = Object.entries({ event, ...fields })
        return wanted.every(([name, value]) => record[name] === value) ? record : undefined
      }),
    kill: (signal) => {
      child.kill(signal)
    },
    ended
  }
  // A program that ends without reading all its input is what some tests are about.
  child.stdin.on('error', () => {})
  running.add(cli)
  return cli
}

/** Runs `it-socks` with this input to its end. */
export const runCli = async (
  args: readonly string[],
  { input = '', ...options }: CliOptions & { input?: string | Uint8Array } = {}
): Promise<Ended> => {
  const cli = startCli(args, options)
  cli.stdin.end(input)
  return cli.ended
}

/** `it-socks serve`, ready for clients. */
export interface ServingCli extends Cli {
  /** Where it listens: `host:port`, or `unix:` and a path. */
  readonly endpoints: readonly string[]
  /** The port of the first listener that has one. */
  readonly port: number
}

/**
 * Starts `it-socks serve` with these arguments and waits until it listens, by default on a port of 127.0.0.1 that the
 * system chooses. It logs JSON, unless the arguments say otherwise: then wait for its `line` yourself.
 */
export const serveCli = async (args: readonly string[] = [], options?: CliOptions): Promise<ServingCli> => {
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0']
  const engine = engineName === undefined || args.includes('--engine') ? [] : ['--engine', engineName]
  const cli = startCli(['serve', ...listen, ...engine, ...args], options)
  const endpoints = (await cli.event('listening'))['endpoints'] as string[]
  const tcp = endpoints.find((endpoint) => !endpoint.startsWith('unix:'))
  return { ...cli, endpoints, port: Number(tcp?.slice(tcp.lastIndexOf(':') + 1)) }
}

/** All that a stream has said so far. */
interface Transcript {
  bytes(): Buffer
  /** The lines that are complete. */
  lines(): string[]
}

const transcribe = (stream: Readable): Transcript => {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const bytes = (): Buffer => Buffer.concat(chunks)
  return { bytes, lines: () => bytes().toString().split('\n').slice(0, -1) }
}

const parse = (line: string): Record<string, unknown> => {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return {}
  }
}

const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(IT_SOCKS_|NO_COLOR$|FORCE_COLOR$|NODE_OPTIONS$)/.test(name))
  )

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { program } from './programs.ts'

export interface RunOptions {
  /** What it reads on stdin. Default: nothing. */
  input?: string | Uint8Array
  /** Environment variables, beside those that every program gets. */
  env?: Readonly<Record<string, string>>
  /** Where it runs. Default: where the tests do. */
  cwd?: string
}

/** How a program ended, and all it said. */
export interface Ended {
  /** The exit code, or null where a signal killed it. */
  readonly code: number | null
  readonly bytes: Buffer
  readonly stdout: string
  readonly stderr: string
}

/** A program, running. */
export interface Running {
  readonly stdin: Writable
  readonly ended: Promise<Ended>
}

// Nothing of ours: a `no_proxy` or a language that is set here would change what programs do and say.
const environment = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', SHELL: '/bin/sh', LC_ALL: 'C.UTF-8' }

/** Starts a program, by name. What still runs when the test is over is killed and waited for. */
export const start = (name: string, args: readonly string[], { env = {}, cwd }: RunOptions = {}): Running => {
  const child = spawn(program(name), args, { env: { ...environment, ...env }, cwd, stdio: 'pipe' })
  killAfterTest(child)
  // A program that ends without reading all its input says by its exit code whether that was right.
  child.stdin.on('error', () => {})
  const ended = Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([bytes, stderr, [code]]): Ended => ({ code, bytes, stdout: bytes.toString(), stderr })
  )
  return { stdin: child.stdin, ended }
}

/** Runs a program to its end. */
export const run = (name: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> => {
  const { stdin, ended } = start(name, args, options)
  stdin.end(options.input)
  return ended
}

/** Runs a program that has to succeed; resolves with what it wrote to stdout. */
export const succeed = async (name: string, args: readonly string[], options?: RunOptions): Promise<string> => {
  const { code, stdout, stderr } = await run(name, args, options)
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout
}

/**
 * Stops a child by its id and waits until it is gone, also where the test failed. One that does not listen within five
 * seconds is killed. What the child started itself may keep its output open for longer: that is not waited for.
 */
export const killAfterTest = (
  child: ChildProcessByStdio<Writable | null, Readable | null, Readable>,
  signal: NodeJS.Signals = 'SIGKILL'
): void => {
  const gone = once(child, 'exit')
  onTestFinished(async () => {
    child.kill(signal)
    const patience = setTimeout(() => child.kill('SIGKILL'), 5000)
    await gone
    clearTimeout(patience)
    for (const stream of child.stdio) stream?.destroy()
  })
}

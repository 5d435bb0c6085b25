import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Address } from '@it-socks/protocol'
import { freePort } from './port.ts'
import { program } from './programs.ts'
import { killAfterTest } from './run.ts'

/** How a daemon is told to listen on a port of its host and to stay in the foreground. */
export type ArgumentsFor = (port: number) => readonly string[] | Promise<readonly string[]>

/**
 * Starts a daemon for the length of the test and resolves with its port once it answers there. Another process may take
 * the port before the daemon does: then it is given another one.
 */
export const startDaemon = async (name: string, argumentsFor: ArgumentsFor, host = '127.0.0.1'): Promise<number> => {
  const failures: string[] = []
  while (failures.length < 3) {
    const port = await freePort()
    const failure = await startOn({ host, port }, name, await argumentsFor(port))
    if (failure === undefined) return port
    failures.push(failure)
  }
  throw new Error(`${name} does not start:\n${failures.join('\n')}`)
}

/** Resolves once it answers, or with what it said before it ended. */
const startOn = async (address: Address, name: string, args: readonly string[]): Promise<string | undefined> => {
  const child = spawn(program(name), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
  killAfterTest(child, 'SIGTERM')
  const ended = once(child, 'exit')
  while (!(await answers(address))) {
    await Promise.race([ended, delay(10)])
    if (child.exitCode !== null) return said
  }
  return child.exitCode === null ? undefined : said
}

const answers = (address: Address): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ ...address })
    socket
      .on('connect', () => resolve(true))
      .on('connect', () => socket.destroy())
      .on('error', () => resolve(false))
  })

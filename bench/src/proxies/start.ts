import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Proxy } from './proxy.ts'

/** A process that was started, and is the first of its group. */
export interface Started {
  readonly pid: number
  /** Ends it at once, and its children. */
  stop(): Promise<void>
}

/** A proxy in processes of its own, which listens. */
export interface RunningProxy extends Started {
  readonly port: number
  /** Has it end by itself, where it is one of ours to tell. */
  end(): Promise<void>
}

export interface StartOptions {
  /** Where to put its configuration. */
  folder: string
  /** How many descriptors it may have. Default: as many as we. */
  descriptors?: number | undefined
  /** Told of the process before anything is waited for. */
  started?: (started: Started) => void
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

const untilItListens = async (port: number, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted && !(await answers(port))) await delay(20)
}

/** What a program says of its failure: the line that Node gives the error on, or the last one. */
const reason = (said: string): string => {
  const lines = said.trim().split('\n')
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? ''
}

/** Starts a proxy and waits until it listens. @throws {Error} where it ends instead, or takes longer than 10 seconds */
export const startProxy = async (
  proxy: Proxy,
  { folder, descriptors, started = () => {} }: StartOptions
): Promise<RunningProxy> => {
  const asked = proxy.tells ? 0 : await freePort()
  const command = proxy.command(asked, folder)
  const [program, ...args] =
    descriptors === undefined ? command : ['sh', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh', ...command]
  // A group of its own: a Ctrl-C must not end it under a measurement, and it is ended together with its children.
  const child = spawn(program!, args, {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', ...(proxy.tells ? ['ipc' as const] : [])]
  })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 10_000) said += text
  })
  let isOver = false
  const exited = once(child, 'exit').then(
    () => (isOver = true),
    () => (isOver = true)
  )
  const stop = async (): Promise<void> => {
    if (child.pid === undefined) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
    await exited
  }
  if (child.pid !== undefined) started({ pid: child.pid, stop })
  const told = async (): Promise<number> => {
    const [message] = (await once(child, 'message')) as [{ port: number }]
    return message.port
  }
  const clock = new AbortController()
  const listening = proxy.tells ? told() : untilItListens(asked, clock.signal).then(() => asked)
  try {
    const port = await Promise.race([
      listening,
      exited.then(() => {
        throw new Error(`does not start: ${reason(said)}`)
      }),
      delay(10_000, undefined, { signal: clock.signal }).then(() => {
        throw new Error('does not listen')
      })
    ])
    const end = async (): Promise<void> => {
      if (child.connected) child.disconnect()
      await exited
    }
    return { port, pid: child.pid!, stop, end }
  } catch (error) {
    if (!isOver) await stop()
    throw error
  } finally {
    clock.abort()
  }
}

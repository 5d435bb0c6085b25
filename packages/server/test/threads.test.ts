import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { associate, connect } from '@it-socks/client'
import { serveInThreads, type Threads } from '@it-socks/server'
import type { Tunnel } from '@it-socks/stage'
import { temporaryFile } from '../../../test/support/temporary.ts'
import { startUdpEcho } from '../../../test/support/udp.ts'
import { echo, target } from './setup.ts'

const module = new URL('threads/options.mjs', import.meta.url)

const start = async (data?: Readonly<Record<string, unknown>>, threads = 2): Promise<Threads & { port: number }> => {
  if (inject('buildFailure') !== '') throw new Error('what the threads run could not be built')
  const serving = await serveInThreads({ module, threads, data, execArgv: [] })
  onTestFinished(() => serving.close().catch(() => {}))
  const [endpoint] = serving.endpoints
  return { ...serving, port: endpoint !== undefined && 'port' in endpoint ? endpoint.port : 0 }
}

const open = async (port: number, to: number | string): Promise<Tunnel> => {
  const tunnel = await connect({
    proxy: { host: '127.0.0.1', port },
    destination: typeof to === 'string' ? to : { host: '127.0.0.1', port: to }
  })
  onTestFinished(() => tunnel.abort?.(new Error('the test is over')))
  return tunnel
}

const descriptors = (): number => readdirSync('/proc/self/fd').length

describe.runIf(process.platform === 'linux')('servers in threads', () => {
  it('serve at one port, by the options that each has made, and count their sessions together', async () => {
    const serving = await start()
    const { port: to } = await target(echo)
    const tunnels = await Promise.all(Array.from({ length: 8 }, () => open(serving.port, to)))
    expect(await serving.open()).toBe(8)
    await expect(open(serving.port, 'denied-by-2.example:80')).rejects.toMatchObject({ reply: 'not-allowed' })
    for (const tunnel of tunnels) tunnel.abort?.(new Error('enough'))
    await vi.waitFor(async () => expect(await serving.open()).toBe(0))
  })

  it('share the limit of connections', async () => {
    const serving = await start({ options: { maxConnections: 3 } })
    const { port: to } = await target(echo)
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => open(serving.port, to)))
    const opened = outcomes.filter(({ status }) => status === 'fulfilled').length
    expect(opened).toBeGreaterThan(0)
    expect(opened).toBeLessThanOrEqual(3)
  })

  it('know each other’s relay sockets: two associations do not take each other for clients', async () => {
    const serving = await start({ options: { allowPrivate: true } })
    const proxy = { host: '127.0.0.1', port: serving.port }
    const associations = await Promise.all(Array.from({ length: 8 }, () => associate({ proxy })))
    onTestFinished(() => {
      for (const association of associations) association.close()
    })
    const { address } = await startUdpEcho()
    const answers = associations.map(async (association, index) => {
      await association.send(Buffer.from(`${index}`), address)
      for await (const { data } of association.source) return Buffer.from(data).toString()
      return undefined
    })
    expect(await Promise.all(answers)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
  })

  it('let sessions end when they close, and take no more', async () => {
    const serving = await start({ slow: true })
    const { port: to } = await target(echo)
    const tunnel = await open(serving.port, to)
    const closed = serving.close({ drain: 60_000 })
    let isClosed = false
    void closed.then(() => (isClosed = true))
    await vi.waitFor(
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connectSocket(serving.port, '127.0.0.1')
          socket.on('connect', () => {
            socket.destroy()
            reject(new Error('somebody listens still'))
          })
          socket.on('error', () => resolve())
        })
    )
    expect(isClosed).toBe(false)
    tunnel.abort?.(new Error('enough'))
    await closed
  })

  it('leave no descriptor behind', async () => {
    const first = await start()
    await first.close()
    const before = descriptors()
    const serving = await start()
    const { port: to } = await target(echo)
    await open(serving.port, to)
    await serving.close()
    await vi.waitFor(() => expect(descriptors()).toBeLessThanOrEqual(before + 3))
  })

  it.each([0, 1])('fail with what the module throws in thread %d, and none is left', async (fails) => {
    await expect(start({ fails })).rejects.toMatchObject({
      name: 'RangeError',
      message: 'no options today',
      code: 'ERR_TEST'
    })
  })

  it('fail where they cannot listen, by the system’s error', async () => {
    const taken = await target(echo)
    await expect(start({ listen: { port: taken.port } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      address: '127.0.0.1',
      port: taken.port
    })
  })

  it.each([
    ['dies', { dies: 0 }, 'a mistake of the module'],
    ['exits', { exits: 0 }, 'a thread has ended by itself, with the exit code 3']
  ])('say where one %s', async (_, data, message) => {
    const serving = await start(data, 1)
    const { port: to } = await target(echo)
    const waiting = new AbortController()
    const opening = connect({
      proxy: { host: '127.0.0.1', port: serving.port },
      destination: { host: '127.0.0.1', port: to },
      signal: waiting.signal
    }).catch(() => {})
    await expect(serving.died).rejects.toThrow(message)
    waiting.abort()
    await opening
  })

  it('have no sessions any more when they have ended', async () => {
    const serving = await start()
    await serving.close()
    expect(await serving.open()).toBe(0)
    await serving.close()
  })

  it('take over what this process was started with, also what only V8 knows', async () => {
    if (inject('buildFailure') !== '') throw new Error('what the process runs could not be built')
    const program = `
      import { serveInThreads } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
      const serving = await serveInThreads({ module: new URL(${JSON.stringify(module.href)}), threads: 2 })
      await serving.close()
      console.log('served')
    `
    const run = promisify(execFile)
    const path = await temporaryFile('serve.mjs', program)
    expect(await run(process.execPath, ['--max-semi-space-size=8', '--stack-trace-limit=20', path])).toMatchObject({
      stdout: 'served\n'
    })
  })

  it.each([0, -1, 1.5, Number.NaN])('are a whole number, not %d', async (threads) => {
    await expect(serveInThreads({ module, threads })).rejects.toMatchObject({ name: 'ConfigurationError' })
  })
})

import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { connect } from '@it-socks/client'
import { runCli, serveCli, startCli } from '../../../test/support/cli.ts'
import { startTarget } from '../../../test/support/target.ts'
import { temporaryFolder } from '../../../test/support/temporary.ts'
import { say, textOf } from '../../../test/support/tunnel.ts'

const echo = () => startTarget({ onConnection: (socket) => socket.pipe(socket) })

/** Says something through a proxy, half-closes, and hears what comes back. */
const converse = async (port: number, destination: string, text: string): Promise<string> => {
  const tunnel = await connect({ proxy: { host: '127.0.0.1', port }, destination })
  const [heard] = await Promise.all([textOf(tunnel.source), tunnel.sink(say(text))])
  return heard
}

const isLinux = process.platform === 'linux'

describe('it-socks serve --engine', () => {
  it.each(['portable', ...(isLinux ? ['splice', 'epoll'] : [])])('%s serves, and says so', async (engine) => {
    const [cli, target] = await Promise.all([serveCli(['--engine', engine]), echo()])
    expect(await cli.event('listening')).toMatchObject({
      engine,
      workers: 1,
      message: `listening on 127.0.0.1:${cli.port} (${engine})`
    })
    expect(await converse(cli.port, target.address, 'hello')).toBe('hello')
    expect(await cli.event('session')).toMatchObject({ outcome: 'ok', up: 5, down: 5 })
  })

  it('takes the fastest by default', async () => {
    const cli = await serveCli(['--engine', 'auto'])
    expect(await cli.event('listening')).toMatchObject({ engine: isLinux ? 'epoll' : 'portable' })
  })

  it('names what it takes', async () => {
    const { code, stderr } = await runCli(['serve', '--engine', 'io_uring'])
    expect(code).toBe(2)
    expect(stderr).toBe('it-socks: --engine takes one of auto, portable, splice, epoll\n')
  })
})

describe.runIf(isLinux)('it-socks serve --workers', () => {
  const workers = ['--engine', 'epoll', '--workers', '2']

  it('serves in several threads at one port, and logs which one', async () => {
    const [cli, target] = await Promise.all([serveCli(workers), echo()])
    expect(await cli.event('listening')).toMatchObject({
      workers: 2,
      message: `listening on 127.0.0.1:${cli.port} (epoll, 2 workers)`
    })
    // The system spreads connections by their ports: sooner or later each worker has one.
    const state = { isOver: false }
    const serve = async (): Promise<void> => {
      await Promise.all([1, 2].map((worker) => cli.event('session', { worker, outcome: 'ok' })))
      state.isOver = true
    }
    const served = serve()
    while (!state.isOver) expect(await converse(cli.port, target.address, 'hello')).toBe('hello')
    await served
  })

  it('lets open sessions of all threads end, and nobody in', async () => {
    const [cli, target] = await Promise.all([serveCli(workers), echo()])
    const tunnels = await Promise.all(
      Array.from({ length: 4 }, () =>
        connect({ proxy: { host: '127.0.0.1', port: cli.port }, destination: target.address })
      )
    )
    cli.kill('SIGTERM')
    expect(await cli.event('stopping')).toMatchObject({ open: 4 })
    await expect(converse(cli.port, target.address, 'late')).rejects.toThrow(/cannot be reached|closed the connection/)
    const heard = tunnels.map(async (tunnel) => {
      const [text] = await Promise.all([textOf(tunnel.source), tunnel.sink(say('last words'))])
      return text
    })
    expect(await Promise.all(heard)).toEqual(Array.from({ length: 4 }, () => 'last words'))
    const { code, stdout } = await cli.ended
    expect(code).toBe(0)
    expect(stdout.match(/"outcome":"ok"/g)).toHaveLength(4)
  })

  it('shares the limit of connections among its threads', async () => {
    const [cli, target] = await Promise.all([serveCli([...workers, '--max-connections', '2']), echo()])
    const open = () => connect({ proxy: { host: '127.0.0.1', port: cli.port }, destination: target.address })
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, open))
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(opened.length).toBeGreaterThan(0)
    expect(opened.length).toBeLessThanOrEqual(2)
    for (const tunnel of opened) tunnel.abort?.(new Error('enough'))
  })

  it.each([
    ['a unix socket', ['--listen', 'unix:/nowhere/proxy'], 'a unix socket has no port to share (--engine, --workers)'],
    [
      'fewer connections than threads',
      ['--listen', '127.0.0.1:0', '--max-connections', '1'],
      '1 connections are too few for 2 threads (--engine, --workers)'
    ]
  ])('cannot be had with %s', async (_, args, reason) => {
    expect(await runCli(['serve', ...workers, ...args])).toMatchObject({ code: 2, stderr: `it-socks: ${reason}\n` })
  })

  it('has all threads go by rules that come from a pipe, which can be read once', async () => {
    const target = await echo()
    const pipe = join(await temporaryFolder(), 'rules')
    await promisify(execFile)('mkfifo', [pipe])
    const cli = startCli(['serve', ...workers, '--listen', '127.0.0.1:0', '--rules', pipe])
    await writeFile(pipe, 'deny everything\n')
    const { endpoints } = await cli.event('listening')
    const [endpoint = ''] = endpoints as string[]
    const port = Number(endpoint.slice(endpoint.lastIndexOf(':') + 1))
    const asked = Array.from({ length: 8 }, () => converse(port, target.address, 'hello'))
    expect((await Promise.allSettled(asked)).map((outcome) => outcome.status)).toEqual(asked.map(() => 'rejected'))
    expect(await cli.event('session')).toMatchObject({ outcome: 'RuleError', rule: 'deny everything' })
  })

  it('says where it cannot listen', async () => {
    const taken = await serveCli(['--engine', 'portable'])
    const { code, stderr } = await runCli(['serve', ...workers, '--listen', `127.0.0.1:${taken.port}`])
    expect(code).toBe(1)
    expect(stderr).toBe(`it-socks: cannot listen on 127.0.0.1:${taken.port}: it is taken (EADDRINUSE)\n`)
  })

  it('ends at once at a second signal', async () => {
    const [cli, target] = await Promise.all([serveCli([...workers, '--drain', '3600']), echo()])
    await connect({ proxy: { host: '127.0.0.1', port: cli.port }, destination: target.address })
    cli.kill('SIGTERM')
    await cli.event('stopping')
    cli.kill('SIGINT')
    expect((await cli.ended).code).toBe(130)
  })
})

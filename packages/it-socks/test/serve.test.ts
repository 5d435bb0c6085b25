import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { hash } from 'bcryptjs'
import { describe, expect, it } from 'vitest'
import { connect } from '@it-socks/client'
import { AuthenticationError, NoAcceptableMethodError, ProxyUnreachableError, RefusedError } from '@it-socks/protocol'
import type { Tunnel } from '@it-socks/stage'
import { runCli, serveCli, startCli, type ServingCli } from '../../../test/support/cli.ts'
import { freePort } from '../../../test/support/port.ts'
import { startTarget, unresolvable, type Target } from '../../../test/support/target.ts'
import { temporaryFile, temporaryFolder } from '../../../test/support/temporary.ts'

const echo = (): Promise<Target> => startTarget({ onConnection: (socket) => socket.pipe(socket) })

/** Says nothing, and is reset in the end. */
const silent = (): Promise<Target> => startTarget({ onConnection: (socket) => socket.on('error', () => {}) })

type User = readonly [username: string, password: string]

const open = ({ port }: Pick<ServingCli, 'port'>, destination: string, user?: User): Promise<Tunnel> => {
  const credentials = user && { username: user[0], password: user[1] }
  return connect({ proxy: { host: '127.0.0.1', port, ...credentials }, destination })
}

/** A server that says nothing of its start has to be asked. */
const untilServing = async (connect: () => Promise<Tunnel>): Promise<Tunnel> => {
  for (;;) {
    try {
      return await connect()
    } catch (error) {
      if (!(error instanceof ProxyUnreachableError)) throw error
    }
  }
}

/** Says something, half-closes, and listens to the end. */
const say = async (tunnel: Tunnel, text: string): Promise<string> => {
  const said = tunnel.sink(
    (async function* () {
      yield Buffer.from(text)
    })()
  )
  const heard: Uint8Array[] = []
  for await (const bytes of tunnel.source) heard.push(bytes.subarray())
  await said
  return Buffer.concat(heard).toString()
}

describe('it-socks serve', () => {
  it('says what listens and how to try it', async () => {
    const cli = await serveCli()
    const event = await cli.event('listening')
    expect(event).toMatchObject({
      level: 'INFO',
      message: expect.stringMatching(
        new RegExp(`^listening on 127\\.0\\.0\\.1:${cli.port} \\((?:portable|splice|epoll)\\)$`)
      ),
      endpoints: [`127.0.0.1:${cli.port}`],
      try: `curl --proxy socks5h://127.0.0.1:${cli.port} https://example.com`
    })
    expect(Date.parse(String(event['@timestamp']))).toBeGreaterThan(0)
  })

  it('has users ask curl for their password, wherever it listens', async () => {
    const cli = await serveCli(['--listen', '0.0.0.0:0', '--listen', '127.0.0.1:0', '--user', 'alice:hunter2'])
    const { try: line } = await cli.event('listening')
    expect(cli.endpoints).toEqual([`0.0.0.0:${cli.port}`, expect.stringMatching(/^127\.0\.0\.1:\d+$/)])
    expect(line).toBe(`curl --proxy socks5h://127.0.0.1:${cli.port} --proxy-user name https://example.com`)
  })

  it('logs a session as a line of JSON on stdout when it is over', async () => {
    const [cli, target] = await Promise.all([serveCli(['--user', 'alice:hunter2']), echo()])
    expect(await say(await open(cli, target.address, ['alice', 'hunter2']), 'hello')).toBe('hello')
    const session = await cli.event('session')
    expect(session).toMatchObject({
      level: 'INFO',
      session: 1,
      listener: `127.0.0.1:${cli.port}`,
      client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      user: 'alice',
      method: 'username/password',
      command: 'connect',
      destination: target.address,
      bound: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      up: 5,
      down: 5,
      seconds: expect.any(Number),
      outcome: 'ok'
    })
    expect(session).not.toHaveProperty('reply')
    cli.kill('SIGTERM')
    const { stdout, stderr } = await cli.ended
    expect(stdout.split('\n')).toHaveLength(2)
    expect(stderr).not.toContain('"session"')
    expect(stdout + stderr).not.toContain('hunter2')
  })

  it('logs a session as one readable line at a terminal', async () => {
    const target = await echo()
    const cli = startCli(['serve', '--listen', '127.0.0.1:0', '--log-format', 'pretty'])
    const [, port] = await cli.line(/^\d\d:\d\d:\d\d listening on 127\.0\.0\.1:(\d+) \((?:portable|splice|epoll)\)$/)
    expect(await cli.line(/^ +try curl/)).toMatchObject({
      input: `         try curl --proxy socks5h://127.0.0.1:${port} https://example.com`
    })
    const proxy = { host: '127.0.0.1', port: Number(port) }
    await say(await connect({ proxy, destination: target.address }), 'hello')
    const line = /^\d\d:\d\d:\d\d 127\.0\.0\.1:\d+ → 127\.0\.0\.1:\d+ +↑ 5 B {2}↓ 5 B {2}[\d.]+ m?s {2}ok$/
    await expect(cli.line(line)).resolves.toBeDefined()
  })

  it('names the failure of a session, and the reply that its client was given', async () => {
    const [cli, port] = await Promise.all([serveCli(), freePort()])
    await expect(open(cli, `127.0.0.1:${port}`)).rejects.toThrow(RefusedError)
    expect(await cli.event('session', { session: 1 })).toMatchObject({
      level: 'WARN',
      destination: `127.0.0.1:${port}`,
      outcome: 'RefusedError',
      reply: 'connection-refused',
      code: 'ERR_SOCKS_CONNECTION_REFUSED',
      reason: `cannot reach 127.0.0.1:${port}: ECONNREFUSED`
    })
    await expect(open(cli, `${unresolvable}:80`)).rejects.toThrow(RefusedError)
    expect(await cli.event('session', { session: 2 })).toMatchObject({
      outcome: 'UnresolvableError',
      reply: 'host-unreachable'
    })
  })

  it('has no reply in the log where none was given', async () => {
    const cli = await serveCli()
    createConnection(cli.port, '127.0.0.1').end('GET / HTTP/1.1\r\n\r\n').resume()
    const session = await cli.event('session')
    expect(session).toMatchObject({ outcome: 'VersionError', code: 'ERR_SOCKS_VERSION' })
    expect(session).not.toHaveProperty('reply')
    expect(session).not.toHaveProperty('destination')
  })

  it('has the reply in the log that a client without a request was given', async () => {
    const cli = await serveCli(['--handshake-timeout', '0.5'])
    const client = createConnection(cli.port, '127.0.0.1')
    client.write(Uint8Array.of(5, 1, 0))
    const heard = await buffer(client)
    expect(await cli.event('session')).toMatchObject({ outcome: 'DeadlineError', reply: 'ttl-expired' })
    expect([...heard]).toEqual([5, 0, 5, 6, 0, 1, 0, 0, 0, 0, 0, 0])
  })

  it('tells the steps of a session to those who debug', async () => {
    const [cli, target] = await Promise.all([serveCli(['--log-level', 'debug']), echo()])
    await say(await open(cli, target.address), 'hello')
    await cli.event('session')
    cli.kill('SIGTERM')
    const { stdout } = await cli.ended
    const events = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { event: string }).event)
    expect(events).toEqual(['opened', 'authenticated', 'requested', 'established', 'session'])
  })

  it('tells only of failures where that is asked for', async () => {
    const [target, port] = await Promise.all([echo(), freePort()])
    const cli = startCli(['serve', '--listen', `127.0.0.1:${port}`, '--log-level', 'warning'])
    const tunnel = await untilServing(() => open({ port }, target.address))
    await say(tunnel, 'hello')
    await expect(open({ port }, `${unresolvable}:80`)).rejects.toThrow(RefusedError)
    await cli.event('session', { outcome: 'UnresolvableError' })
    cli.kill('SIGTERM')
    const { code, stdout, stderr } = await cli.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n')).toHaveLength(2)
  })

  it('lets in users of --user and --users, with passwords and bcrypt hashes, and nobody else', async () => {
    const target = await echo()
    const carol = (await hash('carol’s', 4)).replace('$2b$', '$2y$')
    const users = await temporaryFile('users', `# from htpasswd -B\ncarol:${carol}\nbob:bob:s\n`)
    const cli = await serveCli(['--user', 'alice:open sesame', '--users', users])
    for (const user of [
      ['alice', 'open sesame'],
      ['carol', 'carol’s'],
      ['bob', 'bob:s']
    ] as const) {
      expect(await say(await open(cli, target.address, user), user[0])).toBe(user[0])
    }
    await expect(open(cli, target.address, ['carol', 'open sesame'])).rejects.toThrow(AuthenticationError)
    await expect(open(cli, target.address, ['dave', 'open sesame'])).rejects.toThrow(AuthenticationError)
    await expect(open(cli, target.address)).rejects.toThrow(NoAcceptableMethodError)
    await cli.event('session', { session: 6 })
    cli.kill('SIGTERM')
    const { stdout, stderr } = await cli.ended
    expect(stdout + stderr).not.toMatch(/sesame|carol’s|bob:s|\$2y/)
  })

  it('serves on while it is flooded with passwords to compare with hashes', async () => {
    const [target, costly] = await Promise.all([echo(), hash('carol’s', 12)])
    const users = await temporaryFile('users', `carol:${costly}\n`)
    const cli = await serveCli(['--users', users])
    const tunnel = await open(cli, target.address, ['carol', 'carol’s'])
    const flood = Array.from({ length: 110 }, () => {
      const client = createConnection(cli.port, '127.0.0.1')
      client.on('error', () => {}).write(Buffer.from('\x05\x01\x02\x01\x07mallory\x01x', 'latin1'))
      return client.resume()
    })
    expect(
      await cli.event('session', {
        reason: 'the credentials of "mallory" could not be verified: too many are waiting already: 100'
      })
    ).toMatchObject({ outcome: 'AuthenticationError' })
    expect(await say(tunnel, 'hello')).toBe('hello')
    for (const client of flood) client.destroy()
  })

  it('listens on a unix socket', async () => {
    const [folder, target] = await Promise.all([temporaryFolder(), echo()])
    const path = join(folder, 'proxy.sock')
    const cli = await serveCli(['--listen', `unix:${path}`])
    expect(cli.endpoints).toEqual([`unix:${path}`])
    const [host = '', port] = target.address.split(':')
    const client = createConnection(path)
    client.write(Uint8Array.of(5, 1, 0, 5, 1, 0, 3, host.length))
    client.end(Buffer.concat([Buffer.from(host), Uint8Array.of(Number(port) >> 8, Number(port) & 255)]))
    client.resume()
    await once(client, 'close')
    expect(await cli.event('session')).toMatchObject({ listener: `unix:${path}`, outcome: 'ok' })
    cli.kill('SIGTERM')
    expect((await cli.ended).code).toBe(0)
    await expect(stat(path)).rejects.toThrow('ENOENT')
  })

  it('says which port is taken', async () => {
    const cli = await serveCli()
    const stderr = `it-socks: cannot listen on 127.0.0.1:${cli.port}: it is taken (EADDRINUSE)\n`
    const args = ['serve', '--listen', '127.0.0.1:0', '--listen', `127.0.0.1:${cli.port}`]
    expect(await runCli(args)).toMatchObject({ code: 1, stdout: '', stderr })
  })

  it('turns away more clients than it may have', async () => {
    const [cli, target] = await Promise.all([serveCli(['--max-connections', '1']), echo()])
    const first = await open(cli, target.address)
    // The reset may be there before the connection is.
    await expect(open(cli, target.address)).rejects.toThrow(/closed the connection|cannot be reached/)
    expect(await cli.event('rejected')).toMatchObject({ level: 'WARN', client: expect.stringContaining('127.0.0.1:') })
    expect(await say(first, 'hello')).toBe('hello')
  })

  it('ends clients that do not say what they want, and relays that lie idle', async () => {
    const args = ['--handshake-timeout', '0.05', '--idle-timeout', '0.05']
    const [cli, target] = await Promise.all([serveCli(args), silent()])
    createConnection(cli.port, '127.0.0.1').on('error', () => {})
    expect(await cli.event('session')).toMatchObject({ session: 1, outcome: 'DeadlineError' })
    await open(cli, target.address)
    const idle = await cli.event('session', { session: 2 })
    expect(idle).toMatchObject({ outcome: 'IdleError' })
    expect(idle).not.toHaveProperty('reply')
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('%s lets open sessions end, and nobody in', async (signal) => {
    const [cli, target] = await Promise.all([serveCli(), echo()])
    const tunnel = await open(cli, target.address)
    cli.kill(signal)
    expect(await cli.event('stopping')).toMatchObject({ signal, open: 1 })
    await expect(open(cli, target.address)).rejects.toThrow(/cannot be reached/)
    expect(await say(tunnel, 'last words')).toBe('last words')
    await expect(cli.event('stopped')).resolves.toBeDefined()
    expect(await cli.ended).toMatchObject({ code: 0, signal: null, stdout: expect.stringContaining('"outcome":"ok"') })
  })

  it('waits for open sessions no longer than --drain', async () => {
    const [cli, target] = await Promise.all([serveCli(['--drain', '0.05']), silent()])
    await open(cli, target.address)
    cli.kill('SIGTERM')
    const { code, stdout } = await cli.ended
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'ClosedError', reason: 'the server is closing' })
  })

  it('ends at once at a second signal', async () => {
    const [cli, target] = await Promise.all([serveCli(['--drain', '3600']), silent()])
    await open(cli, target.address)
    cli.kill('SIGTERM')
    await cli.event('stopping')
    cli.kill('SIGINT')
    expect((await cli.ended).code).toBe(130)
  })

  it('serves on when nobody reads its log any more', async () => {
    const [cli, target] = await Promise.all([serveCli(), echo()])
    cli.stdout.destroy()
    for (const text of ['one', 'two', 'three']) {
      expect(await say(await open(cli, target.address), text)).toBe(text)
    }
    expect(await cli.event('unread')).toMatchObject({ level: 'WARN', message: expect.stringContaining('EPIPE') })
    cli.kill('SIGTERM')
    expect((await cli.ended).code).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { connect, reverseThrough, type Proxy } from '@it-socks/client'
import { RefusedError } from '@it-socks/protocol'
import { runCli, serveCli } from '../../../test/support/cli.ts'
import { startTarget, type Target } from '../../../test/support/target.ts'
import { temporaryFile } from '../../../test/support/temporary.ts'
import { startUdpTarget } from './udp-target.ts'

const greeter = (): Promise<Target> => startTarget({ onConnection: (socket) => socket.end('welcome') })

/** What a target says to `it-socks connect`, or what that says of why not. */
const visit = async (proxy: string, host: string, port: number): Promise<string> => {
  const { stdout, stderr } = await runCli(['connect', '--proxy', proxy, host, String(port)])
  return stdout + stderr
}

const refusal = (port: number, target: string): string =>
  `it-socks: the proxy 127.0.0.1:${port} refuses to connect to ${target}: connection not allowed by ruleset\n`

describe('it-socks serve, with rules', () => {
  it('lets the first rule that matches decide, in the order of the command line and its files', async () => {
    const target = await greeter()
    const file = await temporaryFile('rules', `deny to localhost.test\nallow to 127.0.0.1\n`)
    const hosts = ['a.test', 'localhost.test', 'b.test'].flatMap((name) => ['--host', `${name}=127.0.0.1`])
    const proxy = await serveCli(['--deny', 'to b.test', '--rules', file, '--deny', 'to 127.0.0.0/8', ...hosts])
    const url = `socks5h://127.0.0.1:${proxy.port}`
    expect(await visit(url, '127.0.0.1', target.port)).toBe('welcome')
    expect(await visit(url, 'a.test', target.port)).toBe('welcome')
    expect(await visit(url, 'b.test', target.port)).toBe(refusal(proxy.port, `b.test:${target.port}`))
    expect(await visit(url, 'localhost.test', target.port)).toBe(refusal(proxy.port, `localhost.test:${target.port}`))
    // Where something is allowed, the rest is denied.
    expect(await visit(url, '192.0.2.1', 80)).toBe(refusal(proxy.port, '192.0.2.1:80'))
    expect(await proxy.event('session', { session: 3 })).toMatchObject({
      outcome: 'RuleError',
      reply: 'not-allowed',
      rule: 'deny to b.test',
      code: 'ERR_SOCKS_RULE'
    })
  })

  it('names them, in their order, to those who debug', async () => {
    const proxy = await serveCli(['--log-level', 'debug', '--deny', 'to a.test', '--allow', 'everything'])
    proxy.kill('SIGTERM')
    const lines = (await proxy.ended).stderr.split('\n').filter(Boolean)
    const rules = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => event === 'rule')
    expect(rules.map(({ rule, level }) => [level, rule])).toEqual([
      ['DEBUG', 'deny to a.test'],
      ['DEBUG', 'allow everything']
    ])
  })

  it('counts the datagrams that a rule kept back', async () => {
    const [proxy, target] = await Promise.all([
      serveCli(['--deny', 'udp port 53']),
      startUdpTarget({ answer: (data) => data })
    ])
    const url = `socks5h://127.0.0.1:${proxy.port}`
    const denied = ['udp', '--proxy', url, '--timeout', '0.2', '127.0.0.1', '53']
    expect(await runCli(denied, { input: 'hello' })).toMatchObject({ code: 1 })
    const session = await proxy.event('session')
    expect(session).toMatchObject({ command: 'udpAssociate', up: 0, down: 0 })
    expect(session).not.toHaveProperty('destination')
    expect(Object.values(session['dropped'] as Record<string, number>).reduce((sum, count) => sum + count)).toBe(1)
    const allowed = ['udp', '--proxy', url, '127.0.0.1', String(target.port)]
    expect(await runCli(allowed, { input: 'hello' })).toMatchObject({ code: 0, stdout: 'hello' })
  })
})

describe('it-socks serve, and SOCKS4', () => {
  it('serves SOCKS4 and 4a to everybody where there are no users, and logs the user id', async () => {
    const [proxy, target] = await Promise.all([serveCli(), greeter()])
    expect(await visit(`socks4a://bob@127.0.0.1:${proxy.port}`, 'localhost', target.port)).toBe('welcome')
    expect(await proxy.event('session', { session: 1 })).toMatchObject({
      method: 'socks4',
      user: 'bob',
      command: 'connect',
      destination: `localhost:${target.port}`,
      outcome: 'ok'
    })
    expect(await visit(`socks4://127.0.0.1:${proxy.port}`, 'localhost', target.port)).toBe('welcome')
    expect(await proxy.event('session', { session: 2 })).toMatchObject({ destination: target.address })
  })

  it('with users, refuses SOCKS4 but for the user ids that are admitted', async () => {
    const target = await greeter()
    const [strict, lenient] = await Promise.all([
      serveCli(['--user', 'alice:hunter2']),
      serveCli(['--user', 'alice:hunter2', '--socks4-user', 'printer', '--socks4-user', 'fax'])
    ])
    const at = (port: number, id: string): Promise<string> =>
      visit(`socks4a://${id}@127.0.0.1:${port}`, '127.0.0.1', target.port)
    expect(await at(strict.port, 'alice')).toMatch(/^it-socks: the proxy 127\.0\.0\.1:\d+ .*\n$/)
    expect(await strict.event('session')).toMatchObject({ outcome: 'AuthenticationError' })
    expect(await at(lenient.port, 'alice')).toMatch(/^it-socks: the proxy 127\.0\.0\.1:\d+ .*\n$/)
    expect(await at(lenient.port, 'printer')).toBe('welcome')
    expect(await at(lenient.port, 'fax')).toBe('welcome')
  })

  it('speaks SOCKS5 only with --no-socks4', async () => {
    const proxy = await serveCli(['--no-socks4'])
    expect(await visit(`socks4a://127.0.0.1:${proxy.port}`, '127.0.0.1', 80)).toMatch(/^it-socks: the proxy .* closed/)
    expect(await proxy.event('session')).toMatchObject({ outcome: 'VersionError' })
  })
})

describe('it-socks serve, and names', () => {
  const open = (port: number, destination: string): Promise<unknown> => {
    const proxy: Proxy = { host: '127.0.0.1', port }
    return connect({ proxy, destination })
  }

  it('refuses addresses that are not of --family', async () => {
    const target = await greeter()
    const hosts = ['--host', 'both.test=::1,127.0.0.1', '--host', 'six.test=::1']
    const { port } = await serveCli(['--family', '4', ...hosts])
    await expect(open(port, `both.test:${target.port}`)).resolves.toBeDefined()
    await expect(open(port, `six.test:${target.port}`)).rejects.toMatchObject({ reply: 'host-unreachable' })
    await expect(open(port, `[::1]:${target.port}`)).rejects.toBeInstanceOf(RefusedError)
  })

  it('asks the servers of --dns and no others', async () => {
    const dns = await startUdpTarget()
    const proxy = await serveCli(['--dns', dns.address, '--connect-timeout', '0.5'])
    const opened = open(proxy.port, 'name.test:80').catch((error: unknown) => error)
    expect(await dns.receive()).toContain('\u0004name\u0004test')
    expect(await opened).toBeInstanceOf(RefusedError)
  })

  it('asks the servers of --dns for the names of addresses, for those who resolve', async () => {
    const dns = await startUdpTarget()
    const args = ['--dns', dns.address, '--connect-timeout', '0.5', '--commands', 'resolve']
    const proxy = await serveCli(args)
    const reverse = reverseThrough({ proxy: { host: '127.0.0.1', port: proxy.port } })
    const resolved = reverse('192.0.2.7').catch((error: unknown) => error)
    expect(await dns.receive()).toContain('\u00017\u00012\u00010\u0003192\u0007in-addr')
    expect(await resolved).toBeInstanceOf(RefusedError)
    expect(await proxy.event('session')).toMatchObject({ command: 'resolvePtr', outcome: 'DeadlineError' })
  })
})

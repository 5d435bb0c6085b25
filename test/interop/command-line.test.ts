import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { describe, expect, it } from 'vitest'
import { bin, runCli, serveCli, startCli } from '../support/cli.ts'
import { freePort } from '../support/port.ts'
import { needs } from '../support/programs.ts'
import { startDanted, startMicrosocks, startServer, type ProxyAddress } from '../support/proxies.ts'
import { run } from '../support/run.ts'
import { hear } from '../support/sockets.ts'
import { startSshd } from '../support/ssh.ts'
import { startTarget } from '../support/target.ts'
import { startUdpEcho } from '../support/udp.ts'
import { hello, sha256, startWeb } from '../support/web.ts'

/** What `it-socks connect` is told to go to a port of this machine, by name. */
const connectTo = (proxy: ProxyAddress, port: number): string[] => [
  'connect',
  '--proxy',
  `socks5h://${proxy}`,
  'localhost',
  String(port)
]

describe('it-socks connect through danted', () => {
  needs('danted')

  it('carries stdin to the target, its end too, and then the answer to stdout', async () => {
    const [proxy, target] = await Promise.all([startDanted(), startTarget()])
    const cli = startCli(connectTo(proxy, target.port))
    const [question, answer] = [randomBytes(3_000_000), randomBytes(3_000_000)]
    cli.stdin.end(question)
    const far = await target.accept()
    expect(sha256(await hear(far))).toBe(sha256(question))
    far.end(answer)
    const { code, bytes } = await cli.ended
    expect(code).toBe(0)
    expect(sha256(bytes)).toBe(sha256(answer))
  })

  it('writes what the target says at once and lets stdin go on after the target has finished', async () => {
    const [proxy, target] = await Promise.all([startDanted(), startTarget()])
    const cli = startCli(connectTo(proxy, target.port))
    const far = await target.accept()
    far.end('220 welcome')
    expect(String(await once(cli.stdout, 'data'))).toBe('220 welcome')
    cli.stdin.end('thanks')
    expect(String(await hear(far))).toBe('thanks')
    expect(await cli.ended).toMatchObject({ code: 0, stdout: '220 welcome', stderr: '' })
  })

  it('says that the target refuses', async () => {
    const [proxy, port] = await Promise.all([startDanted(), freePort()])
    const { code, stderr } = await runCli(connectTo(proxy, port))
    expect(code).toBe(1)
    expect(stderr).toContain(`the target localhost:${port} cannot be reached from the proxy ${proxy}`)
  })
})

describe('it-socks connect through microsocks', () => {
  needs('microsocks')

  it('logs in with a user name and a password', async () => {
    const [proxy, target] = await Promise.all([
      startMicrosocks({ username: 'alice', password: 'open sesame' }),
      startTarget({ onConnection: (socket) => socket.write('hello') })
    ])
    const cli = startCli(connectTo(`alice:open%20sesame@${proxy}`, target.port))
    expect(String(await once(cli.stdout, 'data'))).toBe('hello')
    // Not before: microsocks closes both directions as soon as one has ended.
    cli.stdin.end()
    expect(await cli.ended).toMatchObject({ code: 0, stdout: 'hello', stderr: '' })
  })

  it('says that the proxy does not let it in, and not with what password', async () => {
    const proxy = await startMicrosocks({ username: 'alice', password: 'open sesame' })
    const { code, stderr } = await runCli(connectTo(`alice:guess@${proxy}`, await freePort()))
    expect(code).toBe(1)
    expect(stderr).toContain(`the proxy ${proxy} does not let us in`)
    expect(stderr).not.toContain('guess')
  })
})

describe('it-socks connect --bind through danted', () => {
  needs('danted')

  it('says where, and is a netcat with who connects there', async () => {
    const proxy = await startDanted()
    const cli = startCli(['connect', '--bind', '--proxy', `socks5://${proxy}`, '127.0.0.1', '0'])
    const [, port] = await cli.line(/^127\.0\.0\.1:(\d+)$/)
    const peer = createConnection({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
    const [question, answer] = [randomBytes(3_000_000), randomBytes(3_000_000)]
    cli.stdin.end(question)
    expect(sha256(await hear(peer))).toBe(sha256(question))
    peer.end(answer)
    const { code, bytes } = await cli.ended
    expect(code).toBe(0)
    expect(sha256(bytes.subarray(bytes.indexOf('\n') + 1))).toBe(sha256(answer))
  })
})

describe('it-socks udp through danted', () => {
  needs('danted')

  it('has each line answered', async () => {
    const [proxy, echo] = await Promise.all([startDanted(), startUdpEcho()])
    const args = ['udp', '--proxy', `socks5://${proxy}`, '--lines', '--count', '2', '127.0.0.1', String(echo.port)]
    const { code, stdout, stderr } = await runCli(args, { input: 'one\ntwo\n' })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'one\ntwo\n', stderr: '' })
  })
})

describe('curl through it-socks serve', () => {
  needs('curl')

  it('reaches over SOCKS5, SOCKS4 and 4a what no rule denies', async () => {
    const names = ['--host', 'good.test=127.0.0.1', '--host', 'bad.test=127.0.0.1']
    const [proxy, origin] = await Promise.all([serveCli(['--deny', 'to bad.test', ...names]), startWeb(hello)])
    const { port } = new URL(origin)
    const curl = (option: string, host: string) =>
      run('curl', ['--silent', '--show-error', option, `127.0.0.1:${proxy.port}`, `http://${host}:${port}`])
    for (const option of ['--socks5-hostname', '--socks4a']) {
      expect(await curl(option, 'good.test')).toMatchObject({ code: 0, stdout: 'hello' })
      expect(await curl(option, 'bad.test')).toMatchObject({ code: 97, stdout: '' })
    }
    expect(await curl('--socks4', '127.0.0.1')).toMatchObject({ code: 0, stdout: 'hello' })
    expect(await proxy.event('session', { method: 'socks4', outcome: 'RuleError' })).toMatchObject({
      destination: `bad.test:${port}`,
      rule: 'deny to bad.test'
    })
  })
})

describe('ssh with it-socks connect as its ProxyCommand', () => {
  needs('ssh', 'sshd', 'ssh-keygen')

  it('runs a command and carries megabytes both ways at a time', async () => {
    const [{ proxy }, sshd] = await Promise.all([startServer(), startSshd()])
    const proxyCommand = `ProxyCommand='${process.execPath}' '${bin}' connect --proxy socks5h://${proxy} %h %p`
    const input = randomBytes(4_000_000)
    const args = [...sshd.options, '-o', proxyCommand, sshd.destination, 'cat; exit 7']
    const { code, bytes, stderr } = await run('ssh', args, { input })
    expect({ code, stderr }).toEqual({ code: 7, stderr: '' })
    expect(sha256(bytes)).toBe(sha256(input))
  })
})

import { describe, expect, it } from 'vitest'
import { runCli, serveCli, startCli } from '../../../test/support/cli.ts'
import { freePort } from '../../../test/support/port.ts'
import { startTarget, unresolvable } from '../../../test/support/target.ts'
import { startUdpTarget, type UdpTarget } from './udp-target.ts'

const echo = (): Promise<UdpTarget> => startUdpTarget({ answer: (data) => data })

/** What `it-socks udp` is told to go to a port of this machine. */
const udpTo = (proxyPort: number, port: number, ...options: string[]): string[] => [
  'udp',
  '--proxy',
  `socks5h://127.0.0.1:${proxyPort}`,
  ...options,
  '127.0.0.1',
  String(port)
]

describe('it-socks udp', () => {
  it('sends all of stdin as one datagram, prints the reply as it is, and ends', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), echo()])
    const ended = await runCli(udpTo(port, target.port), { input: 'one\ntwo\n' })
    expect(ended).toMatchObject({ code: 0, stdout: 'one\ntwo\n', stderr: '' })
    expect(await target.receive()).toBe('one\ntwo\n')
  })

  it('carries bytes as they are, as many as a datagram has room for', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), echo()])
    // A header for an IPv4 address takes ten.
    const input = Buffer.alloc(65_507 - 10, 'it-socks \u00ff\u0000')
    const { code, bytes, stderr } = await runCli(udpTo(port, target.port), { input })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(bytes.equals(input)).toBe(true)
  })

  it.each([65_507 - 9, 65_508])('says that %d bytes are too many', async (length) => {
    const [{ port }, target] = await Promise.all([serveCli(), echo()])
    const { code, stdout, stderr } = await runCli(udpTo(port, target.port), { input: new Uint8Array(length) })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^it-socks: .*65,?\d{3} .*\n$/)
  })

  it('sends an empty datagram where stdin is empty', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), startUdpTarget({ answer: () => 'yes?' })])
    expect(await runCli(udpTo(port, target.port))).toMatchObject({ code: 0, stdout: 'yes?', stderr: '' })
    expect(await target.receive()).toBe('')
  })

  it('resolves names at the proxy, or here', async () => {
    const [{ port }, target] = await Promise.all([serveCli(['--host', 'echo.test=127.0.0.1']), echo()])
    const args = ['udp', '--proxy', `socks5h://127.0.0.1:${port}`, 'echo.test', String(target.port)]
    expect(await runCli(args, { input: 'hello' })).toMatchObject({ code: 0, stdout: 'hello', stderr: '' })
    const here = ['udp', '--proxy', `socks5://127.0.0.1:${port}`, unresolvable, '53']
    expect(await runCli(here, { input: 'hello' })).toMatchObject({
      code: 1,
      stderr: `it-socks: the target ${unresolvable}:53 cannot be resolved here; with socks5h:// the proxy resolves it\n`
    })
  })

  it('logs in, and is logged as UDP with its bytes', async () => {
    const [proxy, target] = await Promise.all([serveCli(['--user', 'alice:open sesame']), echo()])
    const env = { IT_SOCKS_PROXY: `socks5h://alice@127.0.0.1:${proxy.port}`, IT_SOCKS_PROXY_PASSWORD: 'open sesame' }
    const args = ['udp', '127.0.0.1', String(target.port)]
    expect(await runCli(args, { env, input: 'hello' })).toMatchObject({ code: 0, stdout: 'hello', stderr: '' })
    expect(await proxy.event('session')).toMatchObject({
      command: 'udpAssociate',
      user: 'alice',
      bound: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      up: 5,
      down: 5,
      outcome: 'ok'
    })
  })
})

describe('it-socks udp --lines', () => {
  it('sends each line by itself, and prints each reply on a line of its own', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), echo()])
    const args = udpTo(port, target.port, '--lines', '--count', '3')
    expect(await runCli(args, { input: 'one\n\nthree' })).toMatchObject({
      code: 0,
      stdout: 'one\n\nthree\n',
      stderr: ''
    })
    expect([await target.receive(), await target.receive(), await target.receive()]).toEqual(['one', '', 'three'])
  })

  it('ends no reply with a second newline', async () => {
    const [{ port }, target] = await Promise.all([
      serveCli(),
      startUdpTarget({ answer: (_data, count) => (count === 1 ? 'with\n' : 'without') })
    ])
    const args = udpTo(port, target.port, '--lines', '--count', '2')
    expect((await runCli(args, { input: 'a\nb\n' })).stdout.split('\n').toSorted()).toEqual(['', 'with', 'without'])
  })

  it('answers line by line while stdin stays open, and ends with the last reply', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), echo()])
    const cli = startCli(udpTo(port, target.port, '--lines', '--count', '2', '--timeout', '600'))
    cli.stdin.write('one\n')
    await cli.line(/^one$/)
    cli.stdin.write('two\nthr')
    expect(await cli.ended).toMatchObject({ code: 0, stdout: 'one\ntwo\n', stderr: '' })
  })

  it('says so where there is no line to send', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), echo()])
    expect(await runCli(udpTo(port, target.port, '--lines'))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'it-socks: stdin has no line to send\n'
    })
    expect(await runCli(udpTo(port, target.port, '--lines', '--count', '0'))).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('it-socks udp --count', () => {
  it('0 sends, and waits for nobody', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), startUdpTarget()])
    const args = udpTo(port, target.port, '--count', '0', '--timeout', '600')
    expect(await runCli(args, { input: 'it works' })).toMatchObject({ code: 0, stdout: '', stderr: '' })
    expect(await target.receive()).toBe('it works')
  })

  it('says how many replies came before --timeout', async () => {
    const [{ port }, silent, curt] = await Promise.all([
      serveCli(),
      startUdpTarget(),
      startUdpTarget({ answer: (data, count) => (count === 1 ? data : undefined) })
    ])
    expect(await runCli(udpTo(port, silent.port, '--timeout', '0.5'), { input: 'hello' })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `it-socks: no reply from ${silent.address} through the proxy 127.0.0.1:${port} in 0.5 s\n`
    })
    const cli = startCli(udpTo(port, curt.port, '--lines', '--count', '2', '--timeout', '0.2'))
    cli.stdin.write('one\n')
    await cli.line(/^one$/)
    cli.stdin.end('two\n')
    expect(await cli.ended).toMatchObject({
      code: 1,
      stdout: 'one\n',
      stderr: `it-socks: only 1 of 2 replies from ${curt.address} through the proxy 127.0.0.1:${port} in 0.2 s\n`
    })
  })
})

describe('it-socks udp, where the proxy fails', () => {
  it('says that it cannot be reached', async () => {
    const port = await freePort()
    expect(await runCli(udpTo(port, 53), { input: 'hello' })).toMatchObject({
      code: 1,
      stderr: `it-socks: the proxy 127.0.0.1:${port} cannot be reached: ECONNREFUSED\n`
    })
  })

  it('says that it refuses UDP', async () => {
    const { port } = await serveCli(['--commands', 'connect'])
    expect(await runCli(udpTo(port, 53), { input: 'hello' })).toMatchObject({
      code: 1,
      stderr: `it-socks: the proxy 127.0.0.1:${port} refuses to relay UDP: command not supported\n`
    })
  })

  it('says that it does not answer in time', async () => {
    const silent = await startTarget()
    const { code, stderr } = await runCli(udpTo(silent.port, 53, '--timeout', '0.05'), { input: 'hello' })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^it-socks: the proxy 127\.0\.0\.1:\d+ is too slow: .* 50 ms\n$/)
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)('says that it ended the association: %s', async (signal) => {
    const [proxy, target] = await Promise.all([serveCli(['--drain', '0']), startUdpTarget()])
    const cli = startCli(udpTo(proxy.port, target.port, '--lines', '--timeout', '600'))
    cli.stdin.write('hello\n')
    expect(await target.receive()).toBe('hello')
    proxy.kill(signal)
    expect(await cli.ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `it-socks: the proxy 127.0.0.1:${proxy.port} ended the association\n`
    })
  })

  it('ends when nobody reads its stdout', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), echo()])
    const cli = startCli(udpTo(port, target.port, '--timeout', '600'))
    cli.stdout.destroy()
    cli.stdin.end('hello')
    expect(await cli.ended).toMatchObject({ code: 1, stderr: 'it-socks: nobody reads stdout any more (EPIPE)\n' })
  })
})

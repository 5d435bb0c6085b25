import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCli, serveCli, startCli, type Cli } from '../../../test/support/cli.ts'
import { hasIpv6 } from '../../../test/support/programs.ts'
import { hear } from '../../../test/support/sockets.ts'

const bindFor = (proxyPort: number, host: string, scheme = 'socks5h'): Cli =>
  startCli(['connect', '--bind', '--proxy', `${scheme}://127.0.0.1:${proxyPort}`, host, '0'])

/** The port on the first line. */
const portOf = async (cli: Cli): Promise<number> => Number((await cli.line(/^127\.0\.0\.1:(\d+)$/))[1])

const connectTo = async (port: number, host = '127.0.0.1'): Promise<Socket> => {
  const socket = createConnection({ port, host, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

describe('it-socks connect --bind', () => {
  it.each(['socks5h', 'socks5', 'socks4', 'socks4a'])(
    '%s: says where, and is a netcat with whoever connects',
    async (scheme) => {
      const { port } = await serveCli()
      const cli = bindFor(port, '0.0.0.0', scheme)
      const peer = await connectTo(await portOf(cli))
      cli.stdin.end('question')
      expect(String(await hear(peer))).toBe('question')
      peer.end('answer')
      expect(await cli.ended).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringMatching(/^[\d.]+:\d+\nanswer$/)
      })
    }
  )

  it.skipIf(!hasIpv6)('writes an IPv6 address in brackets (needs ::1)', async () => {
    const { port } = await serveCli(['--listen', '[::1]:0'])
    const cli = startCli(['connect', '--bind', '--proxy', `socks5h://[::1]:${port}`, '::', '0'])
    const [, bound] = await cli.line(/^\[::1\]:(\d+)$/)
    const peer = await connectTo(Number(bound), '::1')
    peer.end()
    cli.stdin.end()
    expect((await cli.ended).code).toBe(0)
  })

  it('lets nobody in but the host that is expected', async () => {
    const { port } = await serveCli()
    const cli = bindFor(port, '127.0.0.1')
    const bound = await portOf(cli)
    const stranger = createConnection({ port: bound, host: '127.0.0.1', localAddress: '127.0.0.2' })
    onTestFinished(() => void stranger.destroy())
    await new Promise((resolve) =>
      stranger
        .on('error', () => {})
        .resume()
        .once('close', resolve)
    )
    const peer = await connectTo(bound)
    peer.end('expected')
    cli.stdin.end()
    expect((await cli.ended).stdout).toBe(`127.0.0.1:${bound}\nexpected`)
  })

  it('keeps stdin for who connects, its end too', async () => {
    const { port } = await serveCli()
    const cli = bindFor(port, '0.0.0.0')
    const bound = await portOf(cli)
    cli.stdin.end('said before anybody was there')
    const peer = await connectTo(bound)
    expect(String(await hear(peer))).toBe('said before anybody was there')
    peer.end()
    expect((await cli.ended).code).toBe(0)
  })

  it('says that the proxy waits no longer, and the log says why', async () => {
    const proxy = await serveCli(['--bind-timeout', '0.2'])
    const cli = bindFor(proxy.port, '0.0.0.0')
    await portOf(cli)
    const { code, stderr } = await cli.ended
    expect(code).toBe(1)
    expect(stderr).toBe(
      `it-socks: the proxy 127.0.0.1:${proxy.port} refuses to wait for anybody any longer: TTL expired: the target did not answer in time\n`
    )
    expect(await proxy.event('session')).toMatchObject({
      command: 'bind',
      outcome: 'DeadlineError',
      reply: 'ttl-expired',
      reason: expect.stringContaining('200 ms')
    })
  })

  it('says that the proxy refuses to listen', async () => {
    const { port } = await serveCli(['--commands', 'connect,udp'])
    const { code, stdout, stderr } = await runCli([
      'connect',
      '--bind',
      '--proxy',
      `socks5h://127.0.0.1:${port}`,
      'ftp.example',
      '20'
    ])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `it-socks: the proxy 127.0.0.1:${port} refuses to listen for ftp.example: command not supported\n`
    )
  })

  it('ends when the proxy is gone', async () => {
    const proxy = await serveCli()
    const cli = bindFor(proxy.port, '0.0.0.0')
    await portOf(cli)
    proxy.kill('SIGKILL')
    const { code, stderr } = await cli.ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^it-socks: the proxy 127\.0\.0\.1:\d+ closed the connection.*\n$/)
  })

  it('listens on --ports, and says --public-host only to clients from elsewhere', async () => {
    const { port } = await serveCli(['--ports', '20000-29999', '--public-host', '203.0.113.1'])
    const bound = await portOf(bindFor(port, '0.0.0.0'))
    expect(bound).toBeGreaterThanOrEqual(20_000)
    expect(bound).toBeLessThan(30_000)
  })
})

import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { runCli, serveCli, startCli } from '../../../test/support/cli.ts'
import { freePort } from '../../../test/support/port.ts'
import { startTarget, unresolvable } from '../../../test/support/target.ts'

const local = (port: number): string => `socks5h://127.0.0.1:${port}`

/** Listens to a stream; resolves when so much has come, now or later. */
const listenTo = (stream: Readable): ((text: string) => Promise<void>) => {
  let heard = ''
  stream.on('data', (chunk) => {
    heard += String(chunk)
  })
  return async (text) => {
    while (!heard.includes(text)) await once(stream, 'data')
  }
}

/** More than all buffers on the way have room for. */
const much = 48 * 1024 * 1024
/** In so many turns, a program that does not hold back would have read all of that. */
const turns = 1500

describe('it-socks connect', () => {
  it('passes the end of stdin on, and what the target says after it to stdout', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), startTarget()])
    const cli = startCli(['connect', '--proxy', local(port), '127.0.0.1', String(target.port)])
    const socket = await target.accept()
    cli.stdin.end('question')
    await listenTo(socket)('question')
    await once(socket, 'end')
    socket.end('answer')
    expect(await cli.ended).toMatchObject({ code: 0, stdout: 'answer', stderr: '' })
  })

  it('passes the end of the target on, and what stdin says after it to the target', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), startTarget()])
    const cli = startCli(['connect', '--proxy', local(port), '127.0.0.1', String(target.port)])
    const socket = await target.accept()
    socket.end('greeting')
    await once(cli.stdout, 'end')
    cli.stdin.end('too late?')
    await listenTo(socket)('too late?')
    expect(await cli.ended).toMatchObject({ code: 0, stdout: 'greeting', stderr: '' })
  })

  it('carries much in both directions, to the byte', async () => {
    const size = 8 * 1024 * 1024
    const [{ port }, target] = await Promise.all([
      serveCli(),
      startTarget({ onConnection: (socket) => socket.pipe(socket) })
    ])
    const input = Buffer.alloc(size, 'it-socks carries this to the byte; ')
    const { code, bytes, stderr } = await runCli(
      ['connect', '--proxy', local(port), '127.0.0.1', String(target.port)],
      { input }
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(bytes.equals(input)).toBe(true)
  })

  it('holds stdin back where the target does not read, while the target goes on speaking', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), startTarget()])
    const cli = startCli(['connect', '--proxy', local(port), '127.0.0.1', String(target.port)])
    const socket = await target.accept()
    socket.pause()
    let taken = false
    cli.stdin.end(Buffer.alloc(much), () => {
      taken = true
    })
    const heard = listenTo(cli.stdout)
    for (let turn = 0; turn < turns; turn++) {
      socket.write(`still here ${turn}\n`)
      await heard(`still here ${turn}\n`)
    }
    expect(taken).toBe(false)
    socket.resume().once('end', () => socket.end())
    expect((await cli.ended).code).toBe(0)
    expect(socket.bytesRead).toBe(much)
  })

  it('holds the target back where nobody reads stdout, while stdin goes on', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), startTarget()])
    const cli = startCli(['connect', '--proxy', local(port), '127.0.0.1', String(target.port)])
    const socket = await target.accept()
    cli.stdout.pause()
    let taken = false
    socket.end(Buffer.alloc(much), () => {
      taken = true
    })
    const heard = listenTo(socket)
    for (let turn = 0; turn < turns; turn++) {
      cli.stdin.write(`still here ${turn}\n`)
      await heard(`still here ${turn}\n`)
    }
    expect(taken).toBe(false)
    cli.stdin.end()
    cli.stdout.resume()
    const { code, bytes } = await cli.ended
    expect({ code, length: bytes.length }).toEqual({ code: 0, length: much })
  })

  it('takes proxy and password from the environment', async () => {
    const [{ port }, target] = await Promise.all([
      serveCli(['--user', 'alice:open sesame']),
      startTarget({ onConnection: (socket) => socket.end('welcome') })
    ])
    const env = { IT_SOCKS_PROXY: `socks5h://alice@127.0.0.1:${port}`, IT_SOCKS_PROXY_PASSWORD: 'open sesame' }
    const args = ['connect', '127.0.0.1', String(target.port)]
    expect(await runCli(args, { env })).toMatchObject({ code: 0, stdout: 'welcome', stderr: '' })
  })

  it('says that the proxy cannot be reached', async () => {
    const port = await freePort()
    const stderr = `it-socks: the proxy 127.0.0.1:${port} cannot be reached: ECONNREFUSED\n`
    const args = ['connect', '--proxy', local(port), 'target.example', '80']
    expect(await runCli(args)).toMatchObject({ code: 1, stdout: '', stderr })
    const proxy = `socks5h://${unresolvable}`
    expect(await runCli(['connect', '--proxy', proxy, 'target.example', '80'])).toMatchObject({
      code: 1,
      stderr: `it-socks: the proxy ${unresolvable}:1080 cannot be reached: ENOTFOUND\n`
    })
  })

  it('says that the target cannot be reached', async () => {
    const [{ port }, closed] = await Promise.all([serveCli(), freePort()])
    const refused = await runCli(['connect', '--proxy', local(port), '127.0.0.1', String(closed)])
    expect(refused).toMatchObject({
      code: 1,
      stderr: `it-socks: the target 127.0.0.1:${closed} cannot be reached from the proxy 127.0.0.1:${port}: connection refused\n`
    })
    const nowhere = await runCli(['connect', '--proxy', local(port), unresolvable, '80'])
    expect(nowhere.stderr).toBe(
      `it-socks: the target ${unresolvable}:80 cannot be reached from the proxy 127.0.0.1:${port}: host unreachable\n`
    )
    const here = await runCli(['connect', '--proxy', `socks5://127.0.0.1:${port}`, unresolvable, '80'])
    expect(here.stderr).toBe(
      `it-socks: the target ${unresolvable}:80 cannot be resolved here; with socks5h:// the proxy resolves it\n`
    )
  })

  it('says what cannot be asked of the proxy', async () => {
    const { port } = await serveCli()
    const run = (scheme: string, host: string) =>
      runCli(['connect', '--proxy', `${scheme}://127.0.0.1:${port}`, host, '80'])
    expect(await run('socks4', '2001:db8::1')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^it-socks: the proxy .* cannot be asked for this: 2001:db8::1 is not .*IPv4.*\n$/)
    })
    expect(await run('socks5h', 'x'.repeat(256))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^it-socks: the proxy .* cannot be asked for this: .* 256 bytes.*\n$/)
    })
  })

  it('names socks4a:// where a SOCKS4 proxy could resolve what cannot be resolved here', async () => {
    const args = ['connect', '--proxy', `socks4://127.0.0.1:${await freePort()}`, unresolvable, '80']
    expect((await runCli(args)).stderr).toContain('cannot be resolved here; with socks4a:// the proxy resolves it\n')
  })

  it('says that the proxy does not let us in, and never the password', async () => {
    const { port } = await serveCli(['--user', 'alice:open sesame'])
    const run = (proxy: string) => runCli(['connect', '--proxy', proxy, 'target.example', '80'])
    expect(await run(local(port))).toMatchObject({
      code: 1,
      stderr: `it-socks: the proxy 127.0.0.1:${port} does not let us in without a user name and password\n`
    })
    expect(await run(`socks5h://alice:hunter2@127.0.0.1:${port}`)).toMatchObject({
      code: 1,
      stderr: `it-socks: the proxy 127.0.0.1:${port} does not let us in: it refused the credentials of "alice"\n`
    })
  })

  it('says that the proxy is none, or hangs up', async () => {
    const web = await startTarget({ onConnection: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') })
    const { code, stderr } = await runCli(['connect', '--proxy', local(web.port), 'target.example', '80'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^it-socks: the proxy 127\.0\.0\.1:\d+ failed: VER must be 0x05.*HTTP.*\n$/)
    const mute = await startTarget({ onConnection: (socket) => socket.end() })
    expect(await runCli(['connect', '--proxy', local(mute.port), 'target.example', '80'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^it-socks: the proxy 127\.0\.0\.1:\d+ closed the connection.*\n$/)
    })
  })

  it('gives up after --timeout', async () => {
    const silent = await startTarget()
    const args = ['connect', '--proxy', local(silent.port), '--timeout', '0.05', 'target.example', '80']
    expect(await runCli(args)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^it-socks: .*too slow.* 50 ms\n$/)
    })
  })

  it('fails when the target resets the connection', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), startTarget()])
    const cli = startCli(['connect', '--proxy', local(port), '127.0.0.1', String(target.port)])
    const socket = await target.accept()
    cli.stdin.write('hello')
    await listenTo(socket)('hello')
    socket.resetAndDestroy()
    expect(await cli.ended).toMatchObject({
      code: 1,
      stderr: `it-socks: the connection to 127.0.0.1:${target.port} through the proxy 127.0.0.1:${port} broke: ECONNRESET\n`
    })
  })

  it('fails when the proxy is killed while there is something to say', async () => {
    const [proxy, target] = await Promise.all([serveCli(), startTarget()])
    const cli = startCli(['connect', '--proxy', local(proxy.port), '127.0.0.1', String(target.port)])
    const socket = await target.accept()
    socket.on('error', () => {}).write('here')
    await listenTo(cli.stdout)('here')
    proxy.kill('SIGKILL')
    await proxy.ended
    const keepTalking = (): void => {
      if (cli.stdin.write('anybody there?')) setImmediate(keepTalking)
      else cli.stdin.once('drain', keepTalking)
    }
    keepTalking()
    const { code, stderr } = await cli.ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^it-socks: the connection to .* through the proxy .* broke: (?:EPIPE|ECONNRESET)\n$/)
  })

  it('ends when nobody reads its stdout any more', async () => {
    const [{ port }, target] = await Promise.all([serveCli(), startTarget()])
    const cli = startCli(['connect', '--proxy', local(port), '127.0.0.1', String(target.port)])
    const socket = await target.accept()
    socket.write('first')
    await listenTo(cli.stdout)('first')
    cli.stdout.destroy()
    socket.on('error', () => {}).write('second')
    expect(await cli.ended).toMatchObject({
      code: 1,
      stderr: 'it-socks: nobody reads stdout any more (EPIPE)\n'
    })
  })
})

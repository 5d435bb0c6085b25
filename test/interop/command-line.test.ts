import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { bin, runCli, startCli } from '../support/cli.ts'
import { freePort } from '../support/port.ts'
import { needs } from '../support/programs.ts'
import { startDanted, startMicrosocks, startServer, type ProxyAddress } from '../support/proxies.ts'
import { run } from '../support/run.ts'
import { startSshd } from '../support/ssh.ts'
import { hear, startTarget } from '../support/target.ts'
import { sha256 } from '../support/web.ts'

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

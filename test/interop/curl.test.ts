import { randomBytes } from 'node:crypto'
import { usernamePassword, users } from '@it-socks/auth'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/port.ts'
import { hasIpv6, needs } from '../support/programs.ts'
import { startServer } from '../support/proxies.ts'
import { run, type Ended, type RunOptions } from '../support/run.ts'
import { startTarget, unresolvable } from '../support/target.ts'
import { hashUpload, hello, sha256, startWeb } from '../support/web.ts'

/** curl's own code for "the proxy said no". */
const proxyError = 97

const curl = (args: readonly string[], options?: RunOptions): Promise<Ended> =>
  run('curl', ['--silent', '--show-error', '--max-time', '30', ...args], options)

describe('curl through our server', () => {
  needs('curl')

  it('reaches a target whose name it resolves itself', async () => {
    const [{ proxy }, origin] = await Promise.all([startServer(), startWeb(hello)])
    expect(await curl(['--socks5', proxy, origin])).toMatchObject({ code: 0, stdout: 'hello' })
  })

  it('reaches a target whose name we resolve', async () => {
    const [{ server, proxy }, origin] = await Promise.all([startServer(), startWeb(hello)])
    const hosts: string[] = []
    server.on('requested', ({ request }) => hosts.push(request!.destination.host))
    const { port } = new URL(origin)
    const answer = await curl(['--socks5-hostname', proxy, `http://localhost:${port}`])
    expect(answer).toMatchObject({ code: 0, stdout: 'hello' })
    expect(hosts).toEqual(['localhost'])
  })

  it.skipIf(!hasIpv6)('reaches a target by its IPv6 address (needs ::1)', async () => {
    const [{ proxy }, origin] = await Promise.all([startServer(), startWeb(hello, '::1')])
    for (const option of ['--socks5', '--socks5-hostname']) {
      expect(await curl([option, proxy, origin])).toMatchObject({ code: 0, stdout: 'hello' })
    }
  })

  it('is told that a target refused', async () => {
    const { proxy } = await startServer()
    const { code, stderr } = await curl(['--socks5', proxy, `http://127.0.0.1:${await freePort()}`])
    expect(code).toBe(proxyError)
    expect(stderr).toContain("Can't complete SOCKS5 connection to 127.0.0.1. (5)")
  })

  it('is told that a name has no address', async () => {
    const { proxy } = await startServer()
    const { code, stderr } = await curl(['--socks5-hostname', proxy, `http://${unresolvable}`])
    expect(code).toBe(proxyError)
    expect(stderr).toContain(`Can't complete SOCKS5 connection to ${unresolvable}. (4)`)
  })

  it('is told that the target reset the connection', async () => {
    const target = await startTarget({ onConnection: (socket) => socket.once('data', () => socket.resetAndDestroy()) })
    const { proxy } = await startServer()
    const { code, stderr } = await curl(['--socks5', proxy, `http://${target.address}`])
    expect(code).toBe(56)
    expect(stderr).toContain('Connection reset by peer')
  })

  describe('with a user name and a password', () => {
    const methods = [usernamePassword({ verify: users({ alice: 'open sesame' }) })]

    it('is let in', async () => {
      const [{ server, proxy }, origin] = await Promise.all([startServer({ methods }), startWeb(hello)])
      const names: Array<string | undefined> = []
      server.on('authenticated', ({ identity }) => names.push(identity?.username))
      const answer = await curl(['--socks5', proxy, '--proxy-user', 'alice:open sesame', origin])
      expect(answer).toMatchObject({ code: 0, stdout: 'hello' })
      expect(names).toEqual(['alice'])
    })

    it('is told that the password is wrong', async () => {
      const [{ proxy }, origin] = await Promise.all([startServer({ methods }), startWeb(hello)])
      const { code, stderr } = await curl(['--socks5', proxy, '--proxy-user', 'alice:guess', origin])
      expect(code).toBe(proxyError)
      expect(stderr).toContain('User was rejected by the SOCKS5 server')
    })

    it('is told where it has none to give', async () => {
      const [{ proxy }, origin] = await Promise.all([startServer({ methods }), startWeb(hello)])
      const { code, stderr } = await curl(['--socks5', proxy, origin])
      expect(code).toBe(proxyError)
      expect(stderr).toContain('No authentication method was acceptable')
    })
  })

  describe('with 50 MB', () => {
    const body = randomBytes(50_000_000)

    it('downloads every byte', async () => {
      const origin = await startWeb((_request, response) => response.end(body))
      const { server, proxy } = await startServer()
      const traffic: number[] = []
      server.on('closed', (session) => traffic.push(session.traffic.down))
      const { code, bytes } = await curl(['--socks5', proxy, origin])
      expect(code).toBe(0)
      expect(sha256(bytes)).toBe(sha256(body))
      await Promise.all([...server.sessions].map(({ closed }) => closed))
      expect(traffic[0]).toBeGreaterThan(body.length)
    })

    it('uploads every byte', async () => {
      const [{ proxy }, origin] = await Promise.all([startServer(), startWeb(hashUpload)])
      const { code, stdout } = await curl(['--socks5', proxy, '--upload-file', '-', origin], { input: body })
      expect(code).toBe(0)
      expect(stdout).toBe(sha256(body))
    })
  })
})

describe('socksify, dante’s client, through our server', () => {
  needs('socksify', 'curl')

  it('gives a program that knows no proxy its way out', async () => {
    const [{ proxy }, origin] = await Promise.all([startServer(), startWeb(hello)])
    const env = { SOCKS5_SERVER: proxy }
    expect(await run('socksify', ['curl', '--silent', origin], { env })).toMatchObject({ code: 0, stdout: 'hello' })
  })
})

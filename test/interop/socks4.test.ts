import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { AuthenticationError, RefusedError } from '@it-socks/protocol'
import { usernamePassword, users } from '@it-socks/auth'
import type { Session } from '@it-socks/server'
import { SocksClient } from 'socks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/port.ts'
import { needs, program } from '../support/programs.ts'
import { startDanted, startServer, startSshDynamic, type ProxyAddress } from '../support/proxies.ts'
import { run, start as startProgram } from '../support/run.ts'
import { hear } from '../support/sockets.ts'
import { startSshd } from '../support/ssh.ts'
import { startTarget, unresolvable } from '../support/target.ts'
import { bytesOf, open, say, textOf } from '../support/tunnel.ts'
import { hello, sha256, startWeb } from '../support/web.ts'

const curl = (args: readonly string[]) => run('curl', ['--silent', '--show-error', '--max-time', '30', ...args])

describe('curl through our server', () => {
  needs('curl')

  it.each([
    { option: '--socks4', host: '127.0.0.1' },
    { option: '--socks4a', host: 'localhost' }
  ])('by $option has the page, and we have the destination', async ({ option, host }) => {
    const [{ server, proxy }, origin] = await Promise.all([startServer(), startWeb(hello)])
    const requested: Session[] = []
    server.on('requested', (session) => requested.push(session))
    const port = Number(new URL(origin).port)
    // By --socks4 curl resolves the name itself.
    const answer = await curl([option, proxy, `http://localhost:${port}`])
    expect(answer).toMatchObject({ code: 0, stdout: 'hello' })
    expect(requested.map(({ request }) => request?.destination)).toEqual([{ host, port }])
  })

  it('has its user name as the user id', async () => {
    const [{ server, proxy }, origin] = await Promise.all([startServer(), startWeb(hello)])
    const authenticated = once(server, 'authenticated')
    expect(await curl(['--proxy', `socks4a://alice@${proxy}`, origin])).toMatchObject({ code: 0, stdout: 'hello' })
    expect((await authenticated)[0].identity).toEqual({ method: 'socks4', username: 'alice' })
  })

  it('is told that a target refused, and that a name has no address', async () => {
    const { proxy } = await startServer()
    for (const target of [`127.0.0.1:${await freePort()}`, unresolvable]) {
      const { code, stderr } = await curl(['--socks4a', proxy, `http://${target}`])
      expect(code).toBe(97)
      expect(stderr).toContain('(91), request rejected or failed')
    }
  })

  it('is told that its user id is not admitted', async () => {
    const methods = [usernamePassword({ verify: users({ alice: 'open sesame' }) })]
    const [{ proxy }, origin] = await Promise.all([startServer({ methods }), startWeb(hello)])
    const { code, stderr } = await curl(['--proxy', `socks4://alice@${proxy}`, origin])
    expect(code).toBe(97)
    expect(stderr).toContain('(93), request rejected because the client program and identd report different user-ids')
  })
})

describe('nc -X 4 through our server', () => {
  needs('nc')

  it('half-closes, and has the answer all the same', async () => {
    const [{ proxy }, target] = await Promise.all([startServer(), startTarget()])
    const nc = startProgram('nc', ['-N', '-X', '4', '-x', proxy, '127.0.0.1', String(target.port)])
    const far = await target.accept()
    nc.stdin.end('question')
    expect(String(await hear(far))).toBe('question')
    far.end('answer')
    expect(await nc.ended).toMatchObject({ code: 0, stdout: 'answer' })
  })
})

describe('ssh with ProxyCommand nc -X 4 through our server', () => {
  needs('ssh', 'sshd', 'ssh-keygen', 'nc')

  it('carries megabytes both ways at a time', async () => {
    const [{ proxy }, sshd] = await Promise.all([startServer(), startSshd()])
    const proxyCommand = `ProxyCommand=${program('nc')} -X 4 -x ${proxy} %h %p`
    const input = randomBytes(4_000_000)
    const { code, bytes } = await run('ssh', [...sshd.options, '-o', proxyCommand, sshd.destination, 'cat'], { input })
    expect(code).toBe(0)
    expect(sha256(bytes)).toBe(sha256(input))
  })
})

describe('npm socks in version 4 through our server', () => {
  it.each(['127.0.0.1', 'localhost'])('connects to %s', async (host) => {
    const [{ proxy }, target] = await Promise.all([startServer(), startTarget()])
    const { socket } = await SocksClient.createConnection({
      proxy: { host: '127.0.0.1', port: Number(proxy.split(':')[1]), type: 4, userId: 'alice' },
      command: 'connect',
      destination: { host, port: target.port }
    })
    onTestFinished(() => void socket.destroy())
    const far = await target.accept()
    far.write('220 welcome')
    expect(String(await once(socket, 'data'))).toBe('220 welcome')
  })
})

interface Peer {
  readonly name: string
  readonly programs: readonly string[]
  readonly start: () => Promise<ProxyAddress>
  /** What it speaks. danted takes the 0.0.0.1 that says SOCKS4a for an address. */
  readonly schemes: readonly string[]
}

const danted: Peer = { name: 'danted', programs: ['danted'], start: () => startDanted(), schemes: ['socks4'] }
const sshDynamic: Peer = {
  name: 'ssh -D',
  programs: ['ssh', 'sshd', 'ssh-keygen'],
  start: startSshDynamic,
  schemes: ['socks4', 'socks4a']
}
const ours: Peer = {
  name: 'our server',
  programs: [],
  start: async () => (await startServer()).proxy,
  schemes: ['socks4', 'socks4a']
}

describe.each([danted, sshDynamic, ours])('our client speaks SOCKS4 through $name', ({ programs, start, schemes }) => {
  needs(...programs)

  it.each(schemes)('%s: carries megabytes to a target by its name, and the answer back', async (scheme) => {
    const [proxy, target] = await Promise.all([start(), startTarget()])
    const tunnel = await open({ proxy: `${scheme}://alice@${proxy}`, destination: `localhost:${target.port}` })
    const far = await target.accept()
    const [question, answer] = [randomBytes(3_000_000), randomBytes(3_000_000)]
    const [asked] = await Promise.all([hear(far), tunnel.sink(say(question))])
    expect(sha256(asked)).toBe(sha256(question))
    far.end(answer)
    expect(sha256(await bytesOf(tunnel.source))).toBe(sha256(answer))
  })

  it('has every byte of a banner, glued to the reply or not', async () => {
    const target = await startTarget({ onConnection: (socket) => socket.end('220 welcome\r\n') })
    const proxy = await start()
    for (let round = 0; round < 20; round++) {
      const { source } = await open({ proxy: `socks4://${proxy}`, destination: target.address })
      expect(await textOf(source)).toBe('220 welcome\r\n')
    }
  })
})

describe.each([danted, ours])('our client is told by $name', ({ programs, start, schemes }) => {
  needs(...programs)

  it.each(schemes)('%s: that the target refused, in the one word that there is for it', async (scheme) => {
    const failed = open({ proxy: `${scheme}://${await start()}`, destination: `127.0.0.1:${await freePort()}` })
    await expect(failed).rejects.toThrow(RefusedError)
    await expect(failed).rejects.toMatchObject({ reply: 'general-failure' })
  })
})

it('our client is told by our server that a name has no address, in the one word that there is for it', async () => {
  const { proxy } = await startServer()
  const failed = open({ proxy: `socks4a://${proxy}`, destination: `${unresolvable}:80` })
  await expect(failed).rejects.toThrow(RefusedError)
  await expect(failed).rejects.toMatchObject({ reply: 'general-failure' })
})

it('our client is told that our server does not admit its user id', async () => {
  const { proxy } = await startServer({ socks4: { admit: (userId) => userId === 'printer' } })
  const target = await startTarget({ onConnection: (socket) => socket.end('hello') })
  const failed = open({ proxy: `socks4://plotter@${proxy}`, destination: target.address })
  await expect(failed).rejects.toThrow(AuthenticationError)
  const { source } = await open({ proxy: `socks4://printer@${proxy}`, destination: target.address })
  expect(await textOf(source)).toBe('hello')
})

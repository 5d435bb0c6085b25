import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { needs } from '../support/programs.ts'
import { startDanted, startServer, startSshDynamic, type ProxyAddress } from '../support/proxies.ts'
import { start } from '../support/run.ts'
import { hear } from '../support/sockets.ts'
import { startTarget } from '../support/target.ts'
import { bytesOf, open, say, textOf } from '../support/tunnel.ts'
import { sha256 } from '../support/web.ts'

// Not microsocks: it closes both directions as soon as one has ended.
const proxies: Array<{ name: string; programs: string[]; start: () => Promise<ProxyAddress> }> = [
  { name: 'our server', programs: [], start: async () => (await startServer()).proxy },
  { name: 'danted', programs: ['danted'], start: () => startDanted() },
  { name: 'ssh -D', programs: ['ssh', 'sshd', 'ssh-keygen'], start: startSshDynamic }
]

describe.each(proxies)('half-close between our client and a target through $name', ({ programs, start }) => {
  needs(...programs)

  it('lets the target answer long after the client has finished', async () => {
    const [proxy, target] = await Promise.all([start(), startTarget()])
    const tunnel = await open({ proxy: `socks5://${proxy}`, destination: target.address })
    const far = await target.accept()
    await tunnel.sink(say('question'))
    expect(String(await hear(far))).toBe('question')

    const answers = tunnel.source[Symbol.asyncIterator]()
    for (let round = 1; round <= 3; round++) {
      far.write(`answer ${round}`)
      expect(Buffer.from((await answers.next()).value.subarray()).toString()).toBe(`answer ${round}`)
    }
    const rest = randomBytes(2_000_000)
    far.end(rest)
    expect(sha256(await bytesOf({ [Symbol.asyncIterator]: () => answers }))).toBe(sha256(rest))
  })

  it('lets the client speak long after the target has finished', async () => {
    const [proxy, target] = await Promise.all([start(), startTarget()])
    const tunnel = await open({ proxy: `socks5://${proxy}`, destination: target.address })
    const far = await target.accept()
    far.end('all that I have to say')
    expect(await textOf(tunnel.source)).toBe('all that I have to say')

    const speech = randomBytes(2_000_000)
    const heard = hear(far)
    await tunnel.sink(say(speech))
    expect(sha256(await heard)).toBe(sha256(speech))
  })
})

describe('half-close between nc -N and a target through our server', () => {
  needs('nc')

  it('lets the target answer after nc has finished', async () => {
    const [{ proxy }, target] = await Promise.all([startServer(), startTarget()])
    const nc = start('nc', ['-N', '-X', '5', '-x', proxy, '127.0.0.1', String(target.port)])
    const far = await target.accept()
    nc.stdin.end('question')
    expect(String(await hear(far))).toBe('question')
    far.end('answer')
    expect(await nc.ended).toMatchObject({ code: 0, stdout: 'answer' })
  })
})

it('a session of our server ends once both sides have finished, and not before', async () => {
  const [{ server, proxy }, target] = await Promise.all([startServer(), startTarget()])
  const tunnel = await open({ proxy: `socks5://${proxy}`, destination: target.address })
  const far = await target.accept()
  const closed = once(server, 'closed')
  await tunnel.sink(say('question'))
  expect(String(await hear(far))).toBe('question')
  expect(server.sessions.size).toBe(1)
  far.end('answer')
  expect(await textOf(tunnel.source)).toBe('answer')
  const [session, cause] = await closed
  expect(cause).toBeUndefined()
  expect(session.traffic).toEqual({ up: 'question'.length, down: 'answer'.length })
})

import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { AuthenticationError, NoAcceptableMethodError, ProxyClosedError, RefusedError } from '@it-socks/protocol'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/port.ts'
import { hasIpv6, isRoot, needs } from '../support/programs.ts'
import {
  addSystemUser,
  startDanted,
  startMicrosocks,
  startServer,
  startSshDynamic,
  type ProxyAddress
} from '../support/proxies.ts'
import { startTarget, unresolvable } from '../support/target.ts'
import { bytesOf, open, textOf } from '../support/tunnel.ts'
import { sha256 } from '../support/web.ts'

interface Peer {
  readonly name: string
  readonly programs: readonly string[]
  readonly start: () => Promise<ProxyAddress>
}

const danted: Peer = { name: 'danted', programs: ['danted'], start: () => startDanted() }
const microsocks: Peer = { name: 'microsocks', programs: ['microsocks'], start: () => startMicrosocks() }
const sshDynamic: Peer = { name: 'ssh -D', programs: ['ssh', 'sshd', 'ssh-keygen'], start: startSshDynamic }
const ours: Peer = { name: 'our server', programs: [], start: async () => (await startServer()).proxy }

/** Sends so many bytes back as they come, then hangs up. */
const echo =
  (length: number) =>
  (socket: Socket): void => {
    let returned = 0
    socket.on('data', (chunk) => {
      socket.write(chunk)
      returned += chunk.length
      if (returned === length) socket.end()
    })
  }

describe.each([danted, microsocks, sshDynamic, ours])('our client through $name', ({ programs, start }) => {
  needs(...programs)

  it('carries megabytes both ways at a time', async () => {
    const body = randomBytes(8_000_000)
    const [proxy, target] = await Promise.all([start(), startTarget({ onConnection: echo(body.length) })])
    const tunnel = await open({ proxy: `socks5://${proxy}`, destination: target.address })
    const echoed = bytesOf(tunnel.source)
    const sending = async function* () {
      yield body
      // microsocks closes both directions as soon as one has ended.
      await echoed
    }
    await tunnel.sink(sending())
    expect(sha256(await echoed)).toBe(sha256(body))
  })

  it('has every byte of a banner, glued to the reply or not', async () => {
    const target = await startTarget({ onConnection: (socket) => socket.end('220 welcome\r\n') })
    const proxy = await start()
    for (let round = 0; round < 20; round++) {
      const { source } = await open({ proxy: `socks5://${proxy}`, destination: target.address })
      expect(await textOf(source)).toBe('220 welcome\r\n')
    }
  })

  it('reaches a target by the name that the proxy resolves', async () => {
    const target = await startTarget({ onConnection: (socket) => socket.end('hello') })
    const proxy = await start()
    const { source } = await open({ proxy: `socks5h://${proxy}`, destination: `localhost:${target.port}` })
    expect(await textOf(source)).toBe('hello')
  })

  it.skipIf(!hasIpv6)('reaches a target by its IPv6 address (needs ::1)', async () => {
    const target = await startTarget({ host: '::1', onConnection: (socket) => socket.end('hello') })
    const { source } = await open({ proxy: `socks5://${await start()}`, destination: target.address })
    expect(await textOf(source)).toBe('hello')
  })
})

describe.each([
  { ...danted, unresolvableReply: 'host-unreachable' },
  { ...microsocks, unresolvableReply: 'general-failure' },
  { ...ours, unresolvableReply: 'host-unreachable' }
])('our client is told by $name', ({ programs, start, unresolvableReply }) => {
  needs(...programs)

  it('that the target refused', async () => {
    const proxy = `socks5://${await start()}`
    const failed = open({ proxy, destination: `127.0.0.1:${await freePort()}` })
    await expect(failed).rejects.toThrow(RefusedError)
    await expect(failed).rejects.toMatchObject({ reply: 'connection-refused' })
  })

  it('that a name has no address', async () => {
    const failed = open({ proxy: `socks5h://${await start()}`, destination: `${unresolvable}:80` })
    await expect(failed).rejects.toThrow(RefusedError)
    await expect(failed).rejects.toMatchObject({ reply: unresolvableReply })
  })
})

describe('our client through ssh -D', () => {
  needs(...sshDynamic.programs)

  it.each([
    ['that refuses', async () => `127.0.0.1:${await freePort()}`] as const,
    ['without an address', async () => `${unresolvable}:80`] as const
  ])('names what it does with a target %s: close instead of answering', async (_target, destination) => {
    const failed = open({ proxy: `socks5h://${await startSshDynamic()}`, destination: await destination() })
    await expect(failed).rejects.toThrow(ProxyClosedError)
  })
})

describe('our client logs in to microsocks', () => {
  needs('microsocks')
  const login = { username: 'alice', password: 'open sesame' }

  it('with the right password', async () => {
    const [proxy, target] = await Promise.all([startMicrosocks(login), startTarget()])
    const url = `socks5://alice:open%20sesame@${proxy}`
    const tunnel = await open({ proxy: url, destination: target.address })
    ;(await target.accept()).end('hello')
    expect(await textOf(tunnel.source)).toBe('hello')
  })

  it('and is refused with a wrong one', async () => {
    const [proxy, target] = await Promise.all([startMicrosocks(login), startTarget()])
    const failed = open({ proxy: `socks5://alice:guess@${proxy}`, destination: target.address })
    await expect(failed).rejects.toThrow(AuthenticationError)
  })

  it('and is refused with none', async () => {
    const [proxy, target] = await Promise.all([startMicrosocks(login), startTarget()])
    const failed = open({ proxy: `socks5://${proxy}`, destination: target.address })
    await expect(failed).rejects.toThrow(NoAcceptableMethodError)
  })
})

describe.skipIf(!isRoot)('our client logs in to danted (needs root, which alone can check passwords)', () => {
  needs('danted', 'useradd', 'userdel', 'chpasswd')

  it('with the right password of a user of the system, and not with a wrong one', async () => {
    const { username, password } = await addSystemUser()
    const [address, target] = await Promise.all([startDanted('username'), startTarget()])
    const [host = '', port] = address.split(':')
    const proxy = { host, port: Number(port), username }
    const tunnel = await open({ proxy: { ...proxy, password }, destination: target.address })
    ;(await target.accept()).end('hello')
    expect(await textOf(tunnel.source)).toBe('hello')

    const failed = open({ proxy: { ...proxy, password: 'guess' }, destination: target.address })
    await expect(failed).rejects.toThrow(AuthenticationError)
  })
})

import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo, Server } from 'node:net'
import { usernamePassword, users } from '@it-socks/auth'
import { RefusedError } from '@it-socks/protocol'
import { SocksClient, type SocksProxy } from 'socks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/port.ts'
import { startServer, type ProxyAddress } from '../support/proxies.ts'
import { hear } from '../support/sockets.ts'
import { startTarget } from '../support/target.ts'
import { open, textOf } from '../support/tunnel.ts'

const proxyOf = (address: ProxyAddress): SocksProxy => ({
  host: '127.0.0.1',
  port: Number(address.split(':')[1]),
  type: 5
})

describe('npm socks through our server', () => {
  const dial = async (proxy: SocksProxy, port: number) => {
    const destination = { host: '127.0.0.1', port }
    const { socket } = await SocksClient.createConnection({ proxy, command: 'connect', destination })
    onTestFinished(() => {
      socket.destroy()
    })
    return socket
  }

  it('has a banner that comes with the reply', async () => {
    const target = await startTarget({ onConnection: (socket) => socket.write('220 welcome') })
    const { proxy } = await startServer()
    for (let round = 0; round < 20; round++) {
      const socket = await dial(proxyOf(proxy), target.port)
      expect(String(await once(socket, 'data'))).toBe('220 welcome')
    }
  })

  it('has everything in order: each answer comes after what it answers', async () => {
    const target = await startTarget({
      onConnection(socket) {
        socket.once('data', () => {
          for (let line = 0; line < 10_000; line++) socket.write(`line ${line}\n`)
          socket.end()
        })
      }
    })
    const { proxy } = await startServer()
    const socket = await dial(proxyOf(proxy), target.port)
    socket.write('go on')
    const lines = String(await hear(socket))
      .trimEnd()
      .split('\n')
    expect(lines).toEqual(Array.from({ length: 10_000 }, (_, line) => `line ${line}`))
  })

  it('is let in with a user name and a password', async () => {
    const target = await startTarget({ onConnection: (socket) => socket.write('hello') })
    const { proxy } = await startServer({ methods: [usernamePassword({ verify: users({ alice: 'open sesame' }) })] })
    const socket = await dial({ ...proxyOf(proxy), userId: 'alice', password: 'open sesame' }, target.port)
    expect(String(await once(socket, 'data'))).toBe('hello')
  })

  it('is told that a target refused', async () => {
    const { proxy } = await startServer()
    await expect(dial(proxyOf(proxy), await freePort())).rejects.toThrow('ConnectionRefused')
  })
})

/** npm socksv5 has no types; these are what we use of it. */
interface Socksv5 {
  createServer(listener: (info: unknown, accept: () => void, deny: () => void) => void): Server & {
    useAuth(method: unknown): void
  }
  readonly auth: { None(): unknown }
}
const require = createRequire(import.meta.url)
const socksv5 = require('socksv5') as Socksv5

describe('our client through npm socksv5', () => {
  const startSocksv5 = async (decision: 'accept' | 'deny' = 'accept'): Promise<ProxyAddress> => {
    const server = socksv5.createServer((_info, accept, deny) => (decision === 'accept' ? accept() : deny()))
    server.useAuth(socksv5.auth.None())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.close()
    })
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('reaches a target', async () => {
    const target = await startTarget({ onConnection: (socket) => socket.end('hello') })
    const tunnel = await open({ proxy: `socks5://${await startSocksv5()}`, destination: target.address })
    expect(await textOf(tunnel.source)).toBe('hello')
  })

  it.each([
    ['connection-refused', 'accept'],
    ['not-allowed', 'deny']
  ] as const)('understands its refusal of two bytes, %s', async (reply, decision) => {
    const proxy = `socks5://${await startSocksv5(decision)}`
    const refused = open({ proxy, destination: `127.0.0.1:${await freePort()}` })
    await expect(refused).rejects.toThrow(RefusedError)
    await expect(refused).rejects.toMatchObject({ reply })
  })
})

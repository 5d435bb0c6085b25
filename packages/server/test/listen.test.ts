import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer as createListener, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { none, usernamePassword, users } from '@it-socks/auth'
import { ConfigurationError } from '@it-socks/protocol'
import { createServer, type Session } from '@it-socks/server'
import { hex } from '@it-socks/testing'
import { freePort } from '../../../test/support/port.ts'
import { echo, rawClient, start, target, tunnelTo } from './setup.ts'

/** The path of a unix socket in a folder of its own, which goes when the test ends. */
const socketPath = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'it-socks-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return join(folder, 'socks')
}

/** A port that somebody else listens on. */
const takenPort = async (): Promise<number> => {
  const listener = createListener().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(() => void listener.close())
  return (listener.address() as AddressInfo).port
}

const connectError = async (to: number | string): Promise<string> => {
  const [error] = await once(rawClient(to).socket, 'error')
  return error.code
}

describe('listen', () => {
  it('listens everywhere it is told to, and says where', async () => {
    const path = await socketPath()
    const server = createServer({ listen: [{ host: '127.0.0.1', port: 0 }, { path }, { host: '127.0.0.1', port: 0 }] })
    onTestFinished(() => server.close())
    const endpoints = await server.listen()
    expect(endpoints).toEqual([
      { host: '127.0.0.1', port: expect.any(Number) },
      { path },
      { host: '127.0.0.1', port: expect.any(Number) }
    ])

    const { port: targetPort } = await target(echo)
    for (const endpoint of endpoints) {
      const opened = once(server, 'opened') as Promise<[Session]>
      const client = await tunnelTo('port' in endpoint ? endpoint.port : endpoint.path, targetPort)
      client.socket.write('hello')
      expect(await client.hear(5)).toEqual(hex`${'hello'}`)
      const [session] = await opened
      expect(session.listener).toEqual(endpoint)
      expect('client' in session).toBe('port' in endpoint)
    }
  })

  it('listens nowhere where it cannot listen everywhere', async () => {
    const [path, port, taken] = [await socketPath(), await freePort(), await takenPort()]
    // The name takes longer to listen on than the taken port to be refused.
    const listen = [{ path }, { host: '127.0.0.1', port: taken }, { host: 'localhost', port }]
    const server = createServer({ listen })
    await expect(server.listen()).rejects.toMatchObject({ code: 'EADDRINUSE', port: taken })
    expect(await connectError(path)).toBe('ENOENT')
    expect(await once(connect({ host: 'localhost', port }), 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
    await server.close()
  })

  it('comes once in a life', async () => {
    const { server, port } = await start()
    await expect(server.listen()).rejects.toThrow(ConfigurationError)
    const client = rawClient(port)
    client.socket.write(hex`05 01 00`)
    expect(await client.hear(2)).toEqual(hex`05 00`)
    await server.close()
    expect(await connectError(port)).toBe('ECONNREFUSED')
  })

  it('does not come after close', async () => {
    const server = createServer({ listen: { host: '127.0.0.1', port: 0 } })
    await server.close()
    await expect(server.listen()).rejects.toThrow(ConfigurationError)
  })
})

describe('a server open to everybody', () => {
  const withPassword = usernamePassword({ verify: users({ alice: 'open sesame' }) })
  const everywhere = { host: '0.0.0.0', port: 1080 }

  it.each(['0.0.0.0', '::', '192.0.2.1', '2001:db8::1', '::ffff:0.0.0.0', 'proxy.example'])(
    'is not made by accident, on %s',
    (host) => {
      expect(() => createServer({ listen: { host, port: 1080 } })).toThrow(ConfigurationError)
    }
  )

  it('is not made by accident with several endpoints and methods either; the error says which', () => {
    const listen = [{ host: '127.0.0.1', port: 1080 }, everywhere]
    const open = () => createServer({ listen, methods: [withPassword, none()] })
    expect(open).toThrow('0.0.0.0:1080 would be a proxy open to everybody')
  })

  it('is made where it is asked for by name', () => {
    expect(createServer({ listen: everywhere, allowAnonymous: true }).sessions.size).toBe(0)
  })

  it('is none where everybody must authenticate, or on this machine alone', () => {
    expect(createServer({ listen: everywhere, methods: [withPassword] }).sessions.size).toBe(0)
    for (const host of ['127.0.0.1', '127.0.0.53', '::1', '::ffff:127.0.0.1', 'localhost']) {
      expect(createServer({ listen: { host, port: 1080 } }).sessions.size).toBe(0)
    }
    expect(createServer({ listen: { path: '/run/socks' } }).sessions.size).toBe(0)
  })
})

describe('a server put together wrongly', () => {
  it('is not made without methods, or with two that cannot be told apart', () => {
    expect(() => createServer({ methods: [] })).toThrow(ConfigurationError)
    expect(() => createServer({ methods: [none(), none()] })).toThrow(ConfigurationError)
  })

  it.each([0, -1, Number.NaN])('is not made with limits that are none: %d', (limit) => {
    for (const option of ['maxConnections', 'handshakeTimeout', 'idleTimeout', 'connectTimeout']) {
      expect(() => createServer({ [option]: limit })).toThrow(`${option} is a number above zero, or Infinity`)
    }
  })

  it('is not made with nowhere to listen', () => {
    expect(() => createServer({ listen: [] })).toThrow(ConfigurationError)
  })
})

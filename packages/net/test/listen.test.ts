import { getEventListeners, once } from 'node:events'
import { access } from 'node:fs/promises'
import { connect, type Server, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  listen,
  type Endpoint,
  type ListenOptions,
  type Listener,
  type SocketDuplex,
  type SocketTransport
} from '@it-socks/net'
import { ClosedError, ConfigurationError } from '@it-socks/protocol'
import { checkReusePort } from '../src/reuse-port.ts'
import { all, failureOf, hear, portOf, say, serving, socketPath, standstill } from './setup.ts'

const anyPort = { host: '127.0.0.1', port: 0 }

/** A listener that is closed when the test ends. */
const listening = async (options?: ListenOptions, at: Endpoint = anyPort) => {
  const listener = listen(at, options)
  onTestFinished(() => listener.close())
  const endpoint = await listener.listening
  return { listener, endpoint }
}

/** A client that has connected. */
const client = async (endpoint: Endpoint): Promise<Socket> => {
  const socket = connect({ ...endpoint, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

const take = async (listener: Listener): Promise<SocketDuplex> => {
  const { value } = await listener[Symbol.asyncIterator]().next()
  onTestFinished(() => value.abort(new Error('the test is over')))
  return value
}

/** Resolves when somebody refuses to talk to this socket. */
const reset = async (socket: Socket): Promise<unknown> => {
  const [error] = await once(socket.resume(), 'error')
  return error
}

const refused = async (endpoint: Endpoint): Promise<unknown> => failureOf(client(endpoint))

describe('listen', () => {
  it('listens on a port of the system’s choice, and says which', async () => {
    const { listener, endpoint } = await listening()
    expect(endpoint).toEqual({ host: '127.0.0.1', port: expect.any(Number) })
    const socket = await client(endpoint)
    const connection = await take(listener)
    expect(connection.remoteAddress).toEqual({ host: '127.0.0.1', port: socket.localPort })
    const heard = hear(socket)
    socket.end('hello')
    expect((await all(connection.source)).toString()).toBe('hello')
    await connection.sink(say(Buffer.from('and goodbye')))
    expect(await heard).toBe('and goodbye')
  })

  it('listens on a unix socket, and leaves no file', async () => {
    const { path } = await socketPath()
    const { listener, endpoint } = await listening({}, { path })
    expect(endpoint).toEqual({ path })
    const heard = hear(await client(endpoint))
    await (await take(listener)).sink(say(Buffer.from('hello')))
    expect(await heard).toBe('hello')
    listener.close()
    expect(await failureOf(access(path))).toMatchObject({ code: 'ENOENT' })
  })

  it('fails, in the loop and by `listening`, where the port is taken', async () => {
    const port = portOf(await serving({ host: '127.0.0.1' }))
    const listener = listen({ host: '127.0.0.1', port })
    const loop = (async () => {
      for await (const _ of listener) expect.unreachable()
    })()
    const error = await failureOf(listener.listening)
    expect(error).toMatchObject({ code: 'EADDRINUSE', port })
    expect(await failureOf(loop)).toBe(error)
  })

  it.each([
    ['a port that is none', { host: '127.0.0.1', port: 65_536 }, 'ERR_SOCKET_BAD_PORT'],
    ['a directory that is not there', { path: '/nowhere/at/all' }, 'ENOENT']
  ])('fails for %s', async (_, endpoint, code) => {
    expect(await failureOf(listen(endpoint).listening)).toMatchObject({ code: expect.stringMatching(`${code}|EACCES`) })
  })

  it('stops when it is closed: the loop ends, nobody gets in, who is in stays', async () => {
    const { listener, endpoint } = await listening()
    const socket = await client(endpoint)
    const connection = await take(listener)
    const waiting = listener[Symbol.asyncIterator]().next()
    listener.close()
    expect(await waiting).toEqual({ done: true })
    expect(await refused(endpoint)).toMatchObject({ code: 'ECONNREFUSED' })
    const heard = hear(socket)
    await connection.sink(say(Buffer.from('still here')))
    expect(await heard).toBe('still here')
  })

  it('may be closed before it listens, and more than once', async () => {
    const listener = listen(anyPort)
    listener.close()
    listener.close()
    expect(await failureOf(listener.listening)).toEqual(new ClosedError('closed before it listened'))
    expect(await listener[Symbol.asyncIterator]().next()).toEqual({ done: true })
  })

  it.each(['before', 'while'])('stops when its signal aborts %s it listens, and keeps no listener', async (when) => {
    const owner = new AbortController()
    if (when === 'before') owner.abort()
    const listener = listen(anyPort, { signal: owner.signal })
    const [bound] = await Promise.allSettled([listener.listening])
    owner.abort()
    expect(await listener[Symbol.asyncIterator]().next()).toEqual({ done: true })
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
    expect(bound.status).toBe(when === 'before' ? 'rejected' : 'fulfilled')
  })

  it('lets go of its signal as soon as it is closed, whoever is still connected', async () => {
    const { signal } = new AbortController()
    const { listener, endpoint } = await listening({ signal })
    await client(endpoint)
    await take(listener)
    listener.close()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('resets those who wait when the loop is left', async () => {
    const { listener, endpoint } = await listening()
    const first = await client(endpoint)
    const broken: Array<Promise<unknown>> = []
    for await (const connection of listener) {
      // Two more come in while the first is being served.
      const others = [await client(endpoint), await client(endpoint)]
      broken.push(...others.map(reset))
      const heard = hear(first)
      await connection.sink(say(Buffer.from('served')))
      expect(await heard).toBe('served')
      break
    }
    expect(await Promise.all(broken)).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }])
    expect(await refused(endpoint)).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('tells of a connection that could not be accepted, and goes on', async () => {
    const told: Error[] = []
    const { listener, endpoint } = await listening({ onAcceptError: (error) => told.push(error) })
    await client(endpoint)
    const connection = await take(listener)
    // Nothing but a want of descriptors makes it happen by itself.
    const { server } = (connection.transport as SocketTransport).socket as unknown as { server: Server }
    const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })
    server.emit('error', error)
    expect(told).toEqual([error])
    const socket = await client(endpoint)
    expect((await take(listener)).remoteAddress?.port).toBe(socket.localPort)
  })

  it('resets those for whom there is no room to wait', async () => {
    const { listener, endpoint } = await listening({ pending: 2 })
    const [first, second] = [await client(endpoint), await client(endpoint)]
    const third = connect({ ...endpoint })
    expect(await reset(third)).toMatchObject({ code: 'ECONNRESET' })
    const taken = [await take(listener), await take(listener)]
    expect(taken.map(({ remoteAddress }) => remoteAddress?.port)).toEqual([first.localPort, second.localPort])
    // There is room again.
    const fourth = await client(endpoint)
    expect((await take(listener)).remoteAddress?.port).toBe(fourth.localPort)
  })

  it('gives connections to `accept` as they come, however many wait, and the loop none', async () => {
    const accepted: SocketDuplex[] = []
    const accept = (connection: SocketDuplex): void => void accepted.push(connection)
    const { listener, endpoint } = await listening({ accept, pending: 0 })
    const next = listener[Symbol.asyncIterator]().next()
    await Promise.all([client(endpoint), client(endpoint)])
    await standstill(() => accepted.length)
    expect(accepted.map(({ remoteAddress }) => remoteAddress?.host)).toEqual(['127.0.0.1', '127.0.0.1'])
    listener.close()
    expect(await next).toEqual({ done: true })
    for (const connection of accepted) await connection.sink(say())
  })
})

describe('reusePort', () => {
  const knows = isKnown()

  it.skipIf(!knows)('shares a port with others that do so, too', async () => {
    const first = await listening({ reusePort: true })
    const second = await listening({ reusePort: true }, first.endpoint)
    expect(second.endpoint).toEqual(first.endpoint)
    first.listener.close()
    const socket = await client(second.endpoint)
    expect((await take(second.listener)).remoteAddress?.port).toBe(socket.localPort)
  })

  it.skipIf(!knows)('does not share with one that does not', async () => {
    const { endpoint } = await listening()
    expect(await failureOf(listen(endpoint, { reusePort: true }).listening)).toMatchObject({ code: 'EADDRINUSE' })
  })

  it.skipIf(knows)('is refused where this release of Node would ignore it', () => {
    expect(() => listen(anyPort, { reusePort: true })).toThrow(ConfigurationError)
  })

  it('is refused on a unix socket', () => {
    expect(() => listen({ path: '/nowhere' }, { reusePort: true })).toThrow('a unix socket cannot be shared')
  })

  it.each(['20.19.0', '22.11.0', '23.0.0'])('needs a later release than %s', (version) => {
    const message = `reusePort needs Node 22.12, 23.1 or later; this is ${version}`
    expect(() => checkReusePort(false, version)).toThrow(new ConfigurationError(message))
  })

  it.each(['22.12.0', '22.20.1', '23.1.0', '24.0.0', '26.1.0'])('is known to %s', (version) => {
    expect(() => checkReusePort(false, version)).not.toThrow()
  })
})

function isKnown(): boolean {
  try {
    checkReusePort(false)
    return true
  } catch {
    return false
  }
}

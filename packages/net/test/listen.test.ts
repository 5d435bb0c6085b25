import { getEventListeners, once } from 'node:events'
import { access } from 'node:fs/promises'
import { connect, Server, type Socket } from 'node:net'
import { constants } from 'node:os'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  listen,
  portable,
  sockets,
  type Endpoint,
  type ListenOptions,
  type Listener,
  type SocketDuplex
} from '@it-socks/net'
import { ClosedError, ConfigurationError } from '@it-socks/protocol'
import { checkReusePort } from '../src/reuse-port.ts'
import {
  all,
  countClosed,
  failureOf,
  hear,
  iterate,
  portOf,
  say,
  serving,
  socketPath,
  standstill,
  textOf,
  uncaught
} from './setup.ts'

const anyPort = { host: '127.0.0.1', port: 0 }

/** A listener that is closed when the test ends. */
const listening = async (options?: ListenOptions, at: Endpoint = anyPort, { listen } = portable) => {
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

/** What a server calls when somebody comes, or cannot. */
const acceptedBy = (server: Server): ((status: number) => void) => {
  const { _handle: handle } = server as unknown as { _handle: { onconnection: (status: number) => void } }
  return (status) => handle.onconnection(status)
}

const connectAndLeave = `
  const { workerData: { flag, port } } = require('node:worker_threads')
  const socket = require('node:net').connect({ host: '127.0.0.1', port }, () => {
    socket.resetAndDestroy().on('close', () => {
      Atomics.store(flag, 0, 1)
      Atomics.notify(flag, 0)
    })
  })
`

/** Has somebody connect and reset that, and returns then: this thread has not been able to accept it meanwhile. */
const connectAndReset = ({ port }: { port: number }): void => {
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(connectAndLeave, { eval: true, workerData: { flag, port } })
  onTestFinished(async () => void (await worker.terminate()))
  Atomics.wait(flag, 0, 0)
}

describe.each([portable, sockets])('listen of $name', (engine) => {
  const { listen } = engine
  const begin = (options?: ListenOptions, at?: Endpoint) => listening(options, at, engine)

  it('listens on a port of the system’s choice, and says which', async () => {
    const { listener, endpoint } = await begin()
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
    const { listener, endpoint } = await begin({}, { path })
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
    const { listener, endpoint } = await begin()
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
    const { listener, endpoint } = await begin({ signal })
    await client(endpoint)
    await take(listener)
    listener.close()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('resets those who wait when the loop is left', async () => {
    const { listener, endpoint } = await begin()
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

  it('tells of a connection that could not be accepted, as Node does, and goes on', async () => {
    const begun = vi.spyOn(Server.prototype, 'listen')
    const told: Error[] = []
    const { listener, endpoint } = await begin({ onAcceptError: (error) => told.push(error) })
    const [server] = begun.mock.contexts as [Server]
    begun.mockRestore()
    await client(endpoint)
    await take(listener)
    // Nothing but a want of descriptors makes it happen by itself.
    acceptedBy(server)(-constants.errno.EMFILE)
    expect(told).toMatchObject([
      { message: 'accept EMFILE', code: 'EMFILE', errno: -constants.errno.EMFILE, syscall: 'accept' }
    ])
    const socket = await client(endpoint)
    expect((await take(listener)).remoteAddress?.port).toBe(socket.localPort)
  })

  it('hands nobody over who has reset his connection before it was accepted', async () => {
    const accepted: SocketDuplex[] = []
    let resolve!: () => void
    const come = new Promise<void>((follow) => {
      resolve = follow
    })
    const accept = (connection: SocketDuplex): void => {
      accepted.push(connection)
      resolve()
    }
    const { endpoint } = await begin({ accept })
    const closed = await countClosed()
    connectAndReset(endpoint as { port: number })
    const socket = await client(endpoint)
    await come
    expect(accepted.map(({ remoteAddress }) => remoteAddress?.port)).toEqual([socket.localPort])
    await closed(-2)
    for (const connection of accepted) connection.abort(new Error('the test is over'))
  })

  it('has what throws in `accept` thrown out of the event loop, and goes on', async () => {
    const error = new Error('a bug of somebody’s')
    const taken: SocketDuplex[] = []
    const accept = vi.fn<(connection: SocketDuplex) => void>((connection) => {
      taken.push(connection)
      if (taken.length === 1) throw error
    })
    const { endpoint } = await begin({ accept })
    const thrown = uncaught()
    const clients = [await client(endpoint), await client(endpoint)]
    expect(await thrown).toBe(error)
    await standstill(() => taken.length)
    expect(taken.map(({ remoteAddress }) => remoteAddress?.port)).toEqual(clients.map(({ localPort }) => localPort))
    for (const connection of taken) connection.abort(new Error('the test is over'))
  })

  it('may be closed in `accept`: who has come stays', async () => {
    let taken!: (connection: SocketDuplex) => void
    const connection = new Promise<SocketDuplex>((resolve) => {
      taken = resolve
    })
    const accept = (connection: SocketDuplex): void => {
      listener.close()
      taken(connection)
    }
    const { listener, endpoint } = await begin({ accept })
    const socket = await client(endpoint)
    socket.write('still here')
    const reader = iterate(await connection)
    expect(textOf(await reader.next())).toBe('still here')
    expect(await refused(endpoint)).toMatchObject({ code: 'ECONNREFUSED' })
    ;(await connection).abort(new Error('the test is over'))
  })

  it('resets those for whom there is no room to wait', async () => {
    const { listener, endpoint } = await begin({ pending: 2 })
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
    const { listener, endpoint } = await begin({ accept, pending: 0 })
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

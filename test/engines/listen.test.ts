import { randomUUID } from 'node:crypto'
import { EventEmitter, getEventListeners, once } from 'node:events'
import { access, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Endpoint, ListenOptions, SocketDuplex } from '@it-socks/net'
import { ClosedError, canonicalHost } from '@it-socks/protocol'
import { take } from '../support/connected.ts'
import { all, failureOf, say } from '../support/duplex.ts'
import { breaking, client, hearText, portOf, serving, socketPath } from '../support/sockets.ts'
import { engines } from './engines.ts'

const anyPort = { host: '127.0.0.1', port: 0 }

const refused = async (endpoint: Endpoint): Promise<unknown> => failureOf(client(endpoint))

describe.each(engines)('listen of $name', ({ engine: { listen } }) => {
  /** A listener that is closed when the test ends. */
  const listening = async (options?: ListenOptions, at: Endpoint = anyPort) => {
    const listener = listen(at, options)
    onTestFinished(() => listener.close())
    const endpoint = await listener.listening
    return { listener, endpoint }
  }

  it('listens on a port of the system’s choice, and says which', async () => {
    const { listener, endpoint } = await listening()
    expect(endpoint).toEqual({ host: '127.0.0.1', port: expect.any(Number) })
    const socket = await client(endpoint)
    const connection = await take(listener)
    expect(connection.remoteAddress).toEqual({ host: '127.0.0.1', port: socket.localPort })
    const heard = hearText(socket)
    socket.end('hello')
    expect((await all(connection.source)).toString()).toBe('hello')
    await connection.sink(say(Buffer.from('and goodbye')))
    expect(await heard).toBe('and goodbye')
  })

  it('listens on a unix socket, and leaves no file', async () => {
    const { path } = await socketPath()
    const { listener, endpoint } = await listening({}, { path })
    expect(endpoint).toEqual({ path })
    const heard = hearText(await client(endpoint))
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

  it.each(['127.0.0.1', '::1', '::', '0.0.0.0', 'localhost', '::ffff:127.0.0.1', ''])(
    'listens at %j as Node does',
    async (host) => {
      const server = createServer()
      server.listen({ host, port: 0 })
      await once(server, 'listening')
      const { address } = server.address() as AddressInfo
      server.close()
      const { endpoint } = await listening({}, { host, port: 0 })
      expect(endpoint).toEqual({ host: canonicalHost(address), port: expect.any(Number) })
    }
  )

  it('takes IPv4 where it listens on all of IPv6', async () => {
    const { listener, endpoint } = await listening({}, { host: '::', port: 0 })
    const socket = await client({ ...endpoint, host: '127.0.0.1' })
    const { remoteAddress, localAddress } = await take(listener)
    expect(remoteAddress).toEqual({ host: '127.0.0.1', port: socket.localPort })
    expect(localAddress?.host).toBe('127.0.0.1')
  })

  it('fails for a name that is nobody’s', async () => {
    const listener = listen({ host: 'nowhere.invalid', port: 0 })
    expect(await failureOf(listener.listening)).toMatchObject({ syscall: 'getaddrinfo' })
    expect(await failureOf(listener[Symbol.asyncIterator]().next())).toMatchObject({ syscall: 'getaddrinfo' })
  })

  it('may be closed while a name is looked up', async () => {
    const listener = listen({ host: 'localhost', port: 0 })
    listener.close()
    expect(await failureOf(listener.listening)).toEqual(new ClosedError('closed before it listened'))
  })

  it('fails where a unix socket was left over', async () => {
    const { path } = await socketPath()
    await writeFile(path, '')
    const error = await failureOf(listen({ path }).listening)
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'listen', address: path })
    await access(path)
  })

  it.runIf(process.platform === 'linux')('listens on a socket that is in no directory', async () => {
    const path = `\0it-socks-${process.pid}-${randomUUID()}`
    const { endpoint } = await listening({}, { path })
    expect(endpoint).toEqual({ path })
  })

  it('gives connections to `accept` as they come, however many wait, and the loop none', async () => {
    const news = new EventEmitter()
    const accepted: SocketDuplex[] = []
    const accept = (connection: SocketDuplex): void => {
      accepted.push(connection)
      news.emit('news')
    }
    const { listener, endpoint } = await listening({ accept, pending: 0 })
    onTestFinished(() => accepted.forEach((connection) => connection.abort(new Error('the test is over'))))
    const next = listener[Symbol.asyncIterator]().next()
    const sockets = [await client(endpoint), await client(endpoint), await client(endpoint)]
    while (accepted.length < 3) await once(news, 'news')
    expect(accepted.map(({ remoteAddress }) => remoteAddress?.port)).toEqual(sockets.map(({ localPort }) => localPort))
    listener.close()
    expect(await next).toEqual({ done: true })
  })

  it('stops when it is closed: the loop ends, nobody gets in, who is in stays', async () => {
    const { listener, endpoint } = await listening()
    const socket = await client(endpoint)
    const connection = await take(listener)
    const waiting = listener[Symbol.asyncIterator]().next()
    listener.close()
    expect(await waiting).toEqual({ done: true })
    expect(await refused(endpoint)).toMatchObject({ code: 'ECONNREFUSED' })
    const heard = hearText(socket)
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
      broken.push(...others.map(breaking))
      const heard = hearText(first)
      await connection.sink(say(Buffer.from('served')))
      expect(await heard).toBe('served')
      break
    }
    expect(await Promise.all(broken)).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }])
    expect(await refused(endpoint)).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('resets those for whom there is no room to wait', async () => {
    const { listener, endpoint } = await listening({ pending: 2 })
    const [first, second] = [await client(endpoint), await client(endpoint)]
    const third = connect({ ...endpoint })
    expect(await breaking(third)).toMatchObject({ code: 'ECONNRESET' })
    const taken = [await take(listener), await take(listener)]
    expect(taken.map(({ remoteAddress }) => remoteAddress?.port)).toEqual([first.localPort, second.localPort])
    // There is room again.
    const fourth = await client(endpoint)
    expect((await take(listener)).remoteAddress?.port).toBe(fourth.localPort)
  })
})

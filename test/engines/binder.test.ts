import { randomInt } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BinderSettings } from '@it-socks/net'
import { ConfigurationError, RefusedError } from '@it-socks/protocol'
import type { BinderOptions, Binding } from '@it-socks/stage'
import { take } from '../support/connected.ts'
import { all, failureOf, say } from '../support/duplex.ts'
import { openResources, standstill } from '../support/process.ts'
import { breaking, client, hearText, portOf, serving } from '../support/sockets.ts'
import { engines } from './engines.ts'

const anyPort = expect.any(Number)

describe.each(engines)('a binder of $name', ({ engine: { binder } }) => {
  /** A binding that is closed when the test ends. */
  const bound = async (settings: BinderSettings = {}, options?: BinderOptions): Promise<Binding> => {
    const binding = await binder(settings)(options)
    onTestFinished(() => binding.close())
    return binding
  }

  /**
   * A port that is taken until the test is over, and one beside it that was free a moment ago. Not of those that the system
   * gives to clients: on a busy machine nearly all of these are in use, or were within the last minute.
   */
  const takenBesideFree = async (): Promise<readonly [number, number]> => {
    for (;;) {
      const port = randomInt(15_000, 30_000)
      const taken = await serving({ host: '127.0.0.1', port }).catch(() => undefined)
      const binding = await bound({ ports: [port + 1, port + 1] }).catch(() => undefined)
      await binding?.connections[Symbol.asyncIterator]().return?.()
      if (taken !== undefined && binding !== undefined) return [port, port + 1]
    }
  }

  describe('its binding', () => {
    it('is where a peer connects, and hands over its connection', async () => {
      const binding = await bound()
      const socket = await client(binding.address)
      const tunnel = await take(binding.connections)
      expect(tunnel.remoteAddress).toEqual({ host: '127.0.0.1', port: socket.localPort })
      expect(tunnel.localAddress).toEqual(binding.address)
      const heard = hearText(socket)
      await tunnel.sink(say(Buffer.from('question')))
      expect(await heard).toBe('question')
      socket.end('answer')
      expect((await all(tunnel.source)).toString()).toBe('answer')
    })

    it.each(['close', 'the loop', 'the signal'])('ends by %s: nobody gets in, who is in stays', async (how) => {
      const before = await standstill(openResources)
      const owner = new AbortController()
      const binding = await bound({}, { signal: owner.signal })
      const socket = await client(binding.address)
      const tunnel = await take(binding.connections)
      const waiting = binding.connections[Symbol.asyncIterator]()
      const next = waiting.next()
      if (how === 'close') binding.close()
      else if (how === 'the loop') await waiting.return?.()
      else owner.abort()
      expect(await next).toEqual({ done: true })
      expect(await failureOf(client(binding.address))).toMatchObject({ code: 'ECONNREFUSED' })
      expect(getEventListeners(owner.signal, 'abort')).toEqual([])

      const heard = hearText(socket)
      await tunnel.sink(say(Buffer.from('still here')))
      expect(await heard).toBe('still here')
      socket.end()
      await all(tunnel.source)
      expect(await standstill(openResources)).toBe(before)
    })

    it.each(['close', 'the loop', 'the signal'])('ended by %s leaves nobody who waits to be taken', async (how) => {
      const before = await standstill(openResources)
      const owner = new AbortController()
      const binding = await bound({}, { signal: owner.signal })
      const peers = [await client(binding.address), await client(binding.address)]
      await standstill(openResources)
      const broken = peers.map(breaking)
      if (how === 'close') binding.close()
      else if (how === 'the loop') await binding.connections[Symbol.asyncIterator]().return?.()
      else owner.abort()
      expect(await Promise.all(broken)).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }])
      expect(await standstill(openResources)).toBe(before)
      expect(getEventListeners(owner.signal, 'abort')).toEqual([])
    })

    it('may be closed more than once', async () => {
      const binding = await bound()
      binding.close()
      binding.close()
      expect(await binding.connections[Symbol.asyncIterator]().next()).toEqual({ done: true })
    })
  })

  describe('where it listens', () => {
    it.each([
      { on: 'loopback', settings: {}, options: {}, host: '127.0.0.1' },
      {
        on: 'the host it was given',
        settings: { host: '127.0.0.9' },
        options: { near: '127.0.0.8' },
        host: '127.0.0.9'
      },
      { on: 'that host, written anyhow', settings: { host: '::ffff:127.0.0.9' }, options: {}, host: '127.0.0.9' },
      { on: 'where the client reached us', settings: {}, options: { near: '127.0.0.8' }, host: '127.0.0.8' },
      { on: 'where the peer reaches us', settings: {}, options: { peer: '127.0.0.1', near: '::1' }, host: '127.0.0.1' },
      { on: 'where an IPv6 peer does', settings: {}, options: { peer: '::1', near: '127.0.0.8' }, host: '::1' },
      {
        on: 'where we are, for nobody',
        settings: {},
        options: { peer: '0.0.0.0', near: '127.0.0.8' },
        host: '127.0.0.8'
      }
    ])('is $on', async ({ settings, options, host }) => {
      const { address } = await bound(settings, options)
      expect(address).toEqual({ host, port: anyPort })
      await client(address)
    })

    // What it says is given to the client, for the peer to connect to.
    it.each([
      { host: '0.0.0.0', options: {}, told: '127.0.0.1' },
      { host: '0.0.0.0', options: { near: '127.0.0.8' }, told: '127.0.0.8' },
      { host: '0.0.0.0', options: { near: '::1' }, told: '127.0.0.1' },
      { host: '0.0.0.0', options: { peer: '127.0.0.1', near: '127.0.0.8' }, told: '127.0.0.1' },
      { host: '::', options: {}, told: '::1' },
      { host: '0:0::0', options: {}, told: '::1' },
      { host: '::', options: { near: '127.0.0.8' }, told: '127.0.0.8' },
      { host: '::', options: { peer: '127.0.0.1' }, told: '127.0.0.1' },
      { host: '::', options: { peer: '::1', near: '127.0.0.8' }, told: '::1' }
    ])('is never told as $host: with $options it is $told', async ({ host, options, told }) => {
      const binding = await bound({ host }, options)
      expect(binding.address).toEqual({ host: told, port: anyPort })
      await client(binding.address)
      expect((await take(binding.connections)).localAddress).toEqual(binding.address)
    })

    it('is a port of its range that is free', async () => {
      const [taken, free] = await takenBesideFree()
      const ports = [Math.min(taken, free), Math.max(taken, free)] as const
      for (let tries = 0; tries < 8; tries++) {
        const binding = await bound({ ports })
        expect(binding.address.port).toBe(free)
        const { connections } = binding
        await connections[Symbol.asyncIterator]().return?.()
      }
    })
  })

  describe('where it cannot listen', () => {
    it('says that no port of its range is free', async () => {
      const port = portOf(await serving({ host: '127.0.0.1' }))
      const { signal } = new AbortController()
      const error = await failureOf(bound({ ports: [port, port] }, { signal }))
      expect(error).toBeInstanceOf(RefusedError)
      expect(error).toMatchObject({
        reply: 'general-failure',
        message: `no port from ${port} to ${port} is free on 127.0.0.1`,
        cause: { code: 'EADDRINUSE', port }
      })
      expect(getEventListeners(signal, 'abort')).toEqual([])
    })

    // RFC 5737: an address that is nobody's.
    it('says that the host is not of this machine', async () => {
      expect(await failureOf(bound({ host: '203.0.113.1' }))).toMatchObject({
        name: 'RefusedError',
        reply: 'general-failure',
        message: 'cannot bind a socket to 203.0.113.1: EADDRNOTAVAIL',
        cause: { code: 'EADDRNOTAVAIL' }
      })
    })

    it.each([
      { host: '127.0.0.1', peer: '::1' },
      { host: '0.0.0.0', peer: '2001:db8::1' },
      { host: '::1', peer: '127.0.0.1' }
    ])('says that a peer of another family cannot connect: $peer to $host', async ({ host, peer }) => {
      expect(await failureOf(bound({ host }, { peer }))).toMatchObject({
        name: 'RefusedError',
        reply: 'address-type-not-supported',
        message: `${peer} cannot connect to ${host}`
      })
    })

    // A link-local address without a zone is nowhere: of all addresses it alone has no route on any machine.
    it('says that there is no way to the peer', async () => {
      const before = await standstill(openResources)
      const error = await failureOf(bound({}, { peer: 'fe80::1', near: '127.0.0.1' }))
      expect(error).toMatchObject({ name: 'RefusedError', message: expect.stringMatching('no route to fe80::1: E') })
      expect(await standstill(openResources)).toBe(before)
    })

    it.each(['before', 'while'])('rejects with the reason of a signal that aborts %s it opens', async (when) => {
      const before = await standstill(openResources)
      const owner = new AbortController()
      const reason = new Error('the client has gone')
      if (when === 'before') owner.abort(reason)
      const opening = failureOf(bound({}, { signal: owner.signal }))
      // Later than the binder's own first steps, sooner than the system's answer.
      await Promise.resolve()
      owner.abort(reason)
      expect(await opening).toBe(reason)
      expect(await standstill(openResources)).toBe(before)
      expect(getEventListeners(owner.signal, 'abort')).toEqual([])
    })

    it('rejects with that reason also where it aborts while the route is asked for', async () => {
      const before = await standstill(openResources)
      const owner = new AbortController()
      const reason = new Error('the client has gone')
      const opening = failureOf(bound({}, { peer: '127.0.0.1', signal: owner.signal }))
      owner.abort(reason)
      expect(await opening).toBe(reason)
      expect(await standstill(openResources)).toBe(before)
    })

    it.each<BinderSettings>([
      { host: 'localhost' },
      { host: '' },
      { ports: [0, 10] },
      { ports: [10, 9] },
      { ports: [1, 65_536] },
      { ports: [1.5, 2] },
      { ports: [Number.NaN, 2] }
    ])('is not made: %o', (settings) => {
      expect(() => binder(settings)).toThrow(ConfigurationError)
    })
  })
})

import { getEventListeners } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DatagramBinderSettings } from '@it-socks/net'
import { ConfigurationError } from '@it-socks/protocol'
import type { DatagramBinderOptions } from '@it-socks/stage'
import { openDatagramSocket } from '../support/datagram-socket.ts'
import { failureOf } from '../support/duplex.ts'
import { openResources, standstill } from '../support/process.ts'
import { engines } from './engines.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const nobody = { host: '127.0.0.1', port: 9 }

// The engine of sockets has those of the portable one, as the tests of `net` say.
const binders = engines.filter(({ name }) => name !== 'sockets')

describe.each(binders)('on $name', ({ engine: { datagramBinder } }) => {
  const open = (options?: Partial<DatagramBinderOptions>, settings?: DatagramBinderSettings) =>
    openDatagramSocket(datagramBinder(settings), options)

  describe('a datagram socket', () => {
    it.each(['127.0.0.1', '::1'])('sends and receives, and says who sent: %s', async (host) => {
      const [one, two] = [await open({ host }), await open({ host })]
      expect(one.socket.localAddress).toEqual({ host, port: expect.any(Number) })
      one.socket.send(bytes('question'), two.socket.localAddress)
      const question = await two.first()
      expect(question).toEqual({ data: Buffer.from('question'), from: one.socket.localAddress })
      two.socket.send(bytes('answer'), question.from)
      const [answer] = await one.receive(1)
      expect(answer).toEqual({ data: Buffer.from('answer'), from: two.socket.localAddress })
      expect([one.dropped, two.dropped]).toEqual([[], []])
    })

    it.each([0, 1, 65_507])('passes datagrams of %i bytes both ways', async (length) => {
      const [one, two] = [await open(), await open()]
      const data = new Uint8Array(length).map((_, index) => index % 251)
      one.socket.send(data, two.socket.localAddress)
      expect(Buffer.compare((await two.first()).data, data)).toBe(0)
      two.socket.send(data, one.socket.localAddress)
      expect(Buffer.compare((await one.first()).data, data)).toBe(0)
    })

    it('sends several pieces as one datagram, and the next by itself', async () => {
      const [one, two] = [await open(), await open()]
      one.socket.send([bytes('head'), bytes(''), bytes(' and body')], two.socket.localAddress)
      one.socket.send([], two.socket.localAddress)
      one.socket.send([bytes('next')], two.socket.localAddress)
      const received = await two.receive(3)
      expect(received.map(({ data }) => data.toString())).toEqual(['head and body', '', 'next'])
    })

    it('has room for a burst of the longest datagrams', async () => {
      const [one, two] = [await open(), await open()]
      for (let sent = 0; sent < 3; sent++) one.socket.send(new Uint8Array(65_507).fill(sent), two.socket.localAddress)
      expect((await two.receive(3)).map(({ data }) => data[0])).toEqual([0, 1, 2])
    })

    it('hands over data that nobody else changes', async () => {
      const [one, two] = [await open(), await open()]
      one.socket.send(bytes('first'), two.socket.localAddress)
      await two.receive(1)
      one.socket.send(bytes('other'), two.socket.localAddress)
      expect((await two.receive(2)).map(({ data }) => data.toString())).toEqual(['first', 'other'])
    })

    it.each([
      ['0.0.0.0', '127.0.0.1'],
      ['::', '::1']
    ])('on %s is reached at every address of its family', async (host, at) => {
      const [one, two] = [await open({ host }), await open({ host: at })]
      expect(one.socket.localAddress.host).toBe(host)
      two.socket.send(bytes('hello'), { host: at, port: one.socket.localAddress.port })
      expect((await one.first()).from).toEqual(two.socket.localAddress)
    })

    // Both families may have the port: it would not be free if one took both.
    it('on :: leaves IPv4 to others', async () => {
      const { socket } = await open({ host: '::' })
      const { port } = socket.localAddress
      const ipv4 = await open({ host: '0.0.0.0' }, { ports: [port, port] })
      const from = await open()
      from.socket.send(bytes('hello'), { host: '127.0.0.1', port })
      expect(await ipv4.receive(1)).toHaveLength(1)
    })
  })

  describe('what a datagram socket cannot send', () => {
    it.each([
      { what: 'more than fits', data: new Uint8Array(65_508), to: nobody, code: 'EMSGSIZE' },
      {
        what: 'more than fits, in pieces',
        data: [new Uint8Array(10), new Uint8Array(65_498)],
        to: nobody,
        code: 'EMSGSIZE'
      },
      { what: 'to the other family', data: bytes('x'), to: { host: '::1', port: 9 }, code: 'EINVAL' },
      { what: 'to a name', data: bytes('x'), to: { host: 'localhost', port: 9 }, code: 'EINVAL' },
      { what: 'to everybody', data: bytes('x'), to: { host: '255.255.255.255', port: 9 }, code: 'EACCES' },
      { what: 'to no port', data: bytes('x'), to: { host: '127.0.0.1', port: 0 }, code: 'ERR_SOCKET_BAD_PORT' }
    ])('is dropped, with a word: $what', async ({ data, to, code }) => {
      const [one, two] = [await open(), await open()]
      one.socket.send(data, to)
      one.socket.send(bytes('the next'), two.socket.localAddress)
      expect(await one.drop(1)).toMatchObject([{ code }])
      expect((await two.first()).data.toString()).toBe('the next')
    })

    it('is dropped, with a word, on IPv6: to the other family', async () => {
      const { socket, drop } = await open({ host: '::1' })
      socket.send(bytes('x'), nobody)
      expect(await drop(1)).toMatchObject([{ code: 'EINVAL' }])
    })

    it.each(['fe80::1', 'fe80::1%nowhere', 'fe80::1%lo', 'ff02::1%lo'])(
      'does not stop the next: to %s',
      async (host) => {
        const [one, two] = [await open({ host: '::1' }), await open({ host: '::1' })]
        one.socket.send(bytes('x'), { host, port: 9 })
        one.socket.send(bytes('the next'), two.socket.localAddress)
        expect((await two.first()).data.toString()).toBe('the next')
      }
    )

    it('is nobody’s business where nobody asked to be told', async () => {
      const socket = await datagramBinder()({ host: '127.0.0.1', received: () => {} })
      onTestFinished(() => socket.close())
      socket.send(new Uint8Array(65_508), nobody)
      const two = await open()
      socket.send(bytes('the next'), two.socket.localAddress)
      expect(await two.receive(1)).toHaveLength(1)
    })

    // ICMP says that nobody listens; Linux tells that to sockets alone that are connected.
    it('does not matter: what nobody hears is gone, and the socket goes on', async () => {
      const [one, two] = [await open(), await open()]
      const { localAddress } = two.socket
      two.socket.close()
      for (let sent = 0; sent < 10; sent++) one.socket.send(bytes('anybody?'), localAddress)
      const three = await open()
      one.socket.send(bytes('hello'), three.socket.localAddress)
      expect(await three.receive(1)).toHaveLength(1)
    })
  })

  describe('the end of a datagram socket', () => {
    it.each(['close', 'the signal'])('comes by %s, leaves nothing, and makes sending a no-op', async (how) => {
      const before = await standstill(openResources)
      const owner = new AbortController()
      const { socket, dropped } = await open({ signal: owner.signal })
      if (how === 'close') socket.close()
      else owner.abort()
      socket.send(bytes('too late'), nobody)
      socket.send(new Uint8Array(65_508), nobody)
      socket.close()
      owner.abort()
      expect(await standstill(openResources)).toBe(before)
      expect(getEventListeners(owner.signal, 'abort')).toEqual([])
      expect(dropped).toEqual([])
    })

    it('may come where a datagram is received, which is the last then', async () => {
      const [one, two] = [await open(), await open()]
      const heard: string[] = []
      const closing = await open({
        received(data) {
          heard.push(data.toString())
          closing.socket.close()
        }
      })
      for (let sent = 0; sent < 3; sent++) one.socket.send(bytes('last words'), closing.socket.localAddress)
      one.socket.send(bytes('and now'), two.socket.localAddress)
      await two.receive(1)
      await standstill(() => heard.length)
      expect(heard).toEqual(['last words'])
    })
  })

  describe('a datagram binder', () => {
    it('binds a port of its range that is free', async () => {
      const taken = (await open()).socket.localAddress.port
      const ports = taken === 65_535 ? ([taken - 1, taken] as const) : ([taken, taken + 1] as const)
      for (let tries = 0; tries < 8; tries++) {
        const { socket } = await open({}, { ports })
        expect(socket.localAddress.port).toBe(ports.find((port) => port !== taken))
        socket.close()
      }
      expect(await failureOf(open({}, { ports: [taken, taken] }))).toMatchObject({
        name: 'RefusedError',
        reply: 'general-failure',
        message: `no port from ${taken} to ${taken} is free on 127.0.0.1`,
        cause: { code: 'EADDRINUSE' }
      })
    })

    it.each([
      ['203.0.113.1', 'EADDRNOTAVAIL'],
      ['localhost', 'EINVAL'],
      ['fe80::1%nowhere', 'E']
    ])('says that it cannot bind to %s', async (host, code) => {
      const before = await standstill(openResources)
      expect(await failureOf(open({ host }))).toMatchObject({
        name: 'RefusedError',
        reply: 'general-failure',
        message: expect.stringMatching(`cannot bind a socket to ${host}: ${code}`)
      })
      expect(await standstill(openResources)).toBe(before)
    })

    it('says that the system does not give it the buffers', async () => {
      const before = await standstill(openResources)
      expect(await failureOf(open({}, { buffer: -1 }))).toMatchObject({
        name: 'RefusedError',
        reply: 'general-failure'
      })
      expect(await standstill(openResources)).toBe(before)
    })

    it.each(['before', 'while'])('rejects with the reason of a signal that aborts %s it opens', async (when) => {
      const before = await standstill(openResources)
      const owner = new AbortController()
      const reason = new Error('the client has gone')
      if (when === 'before') owner.abort(reason)
      const opening = failureOf(open({ signal: owner.signal }))
      owner.abort(reason)
      expect(await opening).toBe(reason)
      expect(await standstill(openResources)).toBe(before)
      expect(getEventListeners(owner.signal, 'abort')).toEqual([])
    })

    it.each([[[0, 10]], [[10, 9]], [[1, 65_536]]] as const)('is not made with a range that is none: %o', (ports) => {
      expect(() => datagramBinder({ ports })).toThrow(ConfigurationError)
    })
  })
})

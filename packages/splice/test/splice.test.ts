import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  dial,
  isDescriptorTransport,
  portable,
  sockets,
  type DescriptorTransport,
  type SocketDuplex
} from '@it-socks/net'
import { join } from '@it-socks/relay'
import { splice } from '@it-socks/splice'
import { transportOf, type Flow, type Transport } from '@it-socks/stage'
import { duplexPair } from '@it-socks/testing'
import { hear, over, pattern, socketPath, standstill } from './setup.ts'

interface Connected {
  readonly ours: SocketDuplex
  readonly at: DescriptorTransport
  readonly peer: Socket
}

const engine = splice()

/** A connection that the engine has dialled, or accepted on a unix socket: our end, and the peer's socket. */
const connected = async (way: 'dialled' | 'unix' = 'dialled'): Promise<Connected> => {
  const { ours, peer } = await (way === 'dialled' ? dialled() : accepted(await socketPath()))
  onTestFinished(() => {
    ours.abort(new Error('the test is over'))
    peer.destroy()
  })
  return { ours, at: transport(ours), peer: peer.on('error', () => {}) }
}

const dialled = async (): Promise<{ ours: SocketDuplex; peer: Socket }> => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  const connection = once(server, 'connection')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ours = (await engine.dial()({ host: '127.0.0.1', port })) as SocketDuplex
  const [peer] = (await connection) as [Socket]
  server.close()
  return { ours, peer }
}

const accepted = async (at: { path: string }): Promise<{ ours: SocketDuplex; peer: Socket }> => {
  const listener = engine.listen(at)
  await listener.listening
  const peer = connect({ ...at, allowHalfOpen: true })
  const [{ value: ours }] = await Promise.all([listener[Symbol.asyncIterator]().next(), once(peer, 'connect')])
  listener.close()
  return { ours, peer }
}

const transport = (duplex: SocketDuplex): DescriptorTransport => {
  const found = transportOf(duplex)
  if (found === undefined || !isDescriptorTransport(found)) throw new Error('it has no descriptor')
  return found
}

/** How many descriptors this process has, once that stands still. */
const descriptors = (): Promise<number> => standstill(() => readdirSync('/proc/self/fd').length)

const silent: Flow = { passed() {}, ended() {}, failed() {} }

describe('the engine', () => {
  it('is the portable one, but for its name and the relay', () => {
    const { name, join: joined, ...rest } = splice()
    const { name: _, ...others } = portable
    expect(name).toBe('splice')
    expect(joined).toBeTypeOf('function')
    expect(rest).toEqual(others)
    expect(rest.dial).toBe(dial)
  })

  it.each(['dialled', 'unix'] as const)('takes descriptors over, and their peers do not notice: %s', async (way) => {
    const [one, other] = [await connected(way), await connected(way)]
    const relayed = join(one.ours, other.ours, { engine: engine.join! })
    expect([one.at.descriptor, other.at.descriptor]).toEqual([undefined, undefined])
    const heard = hear(other.peer)
    one.peer.resume().end('hello')
    expect((await heard).toString()).toBe('hello')
    other.peer.end()
    expect(await relayed).toEqual({ up: 5, down: 0 })
  })

  it('says first what was written before, and takes over what is behind that', async () => {
    const [one, other] = [await connected(), await connected()]
    const much = pattern(16_000_000)
    other.at.write(much)
    expect(other.at.waiting).toBeGreaterThan(0)
    const relayed = join(one.ours, other.ours, { engine: engine.join! })
    one.peer.resume().end('and more')
    const heard = await hear(other.peer)
    expect(heard.equals(Buffer.concat([much, Buffer.from('and more')]))).toBe(true)
    expect([one.at.descriptor, other.at.descriptor]).toEqual([undefined, undefined])
    other.peer.end()
    expect(await relayed).toEqual({ up: 8, down: 0 })
  })

  it.each(['client', 'target'] as const)('fails where the %s is aborted before that has left', async (side) => {
    const [one, other] = [await connected(), await connected()]
    other.at.write(pattern(16_000_000))
    const relayed = join(one.ours, other.ours, { engine: engine.join! })
    const { ours } = side === 'client' ? one : other
    const reason = new Error('enough')
    ours.abort(reason)
    await expect(relayed).rejects.toBe(reason)
    await Promise.all([over(one.peer), over(other.peer)])
    expect([one.at.descriptor, other.at.descriptor]).toEqual([undefined, undefined])
  })

  it('leaves to others what is on sockets of Node’s, or in memory', async () => {
    const { at } = await connected()
    const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const tunnel = await sockets.dial()({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
    onTestFinished(() => tunnel.abort?.(new Error('the test is over')))
    expect(transportOf(tunnel)).toBeUndefined()
    const [memory] = duplexPair()
    for (const duplex of [tunnel, memory]) {
      const other = { duplex } as unknown as Transport
      expect(engine.join!(at, other, silent)).toBe(false)
      expect(engine.join!(other, at, silent)).toBe(false)
    }
    expect(at.detachable).toBe(true)
  })

  it.each(['client', 'target'] as const)('leaves to others a %s that somebody still reads', async (side) => {
    const [one, other] = [await connected(), await connected()]
    const before = await descriptors()
    const { ours, peer } = side === 'client' ? one : other
    const first = ours.source[Symbol.asyncIterator]().next()
    expect(engine.join!(one.at, other.at, silent)).toBe(false)
    peer.write('hello')
    expect(Buffer.from((await first).value as Uint8Array).toString()).toBe('hello')
    // Nothing has happened.
    expect(await descriptors()).toBe(before)
  })

  it('leaves to others what is closed', async () => {
    const [one, other] = [await connected(), await connected()]
    other.ours.abort(new Error('gone'))
    expect(engine.join!(one.at, other.at, silent)).toBe(false)
  })

  it('does not join a socket with itself', async () => {
    const { at } = await connected()
    expect(engine.join!(at, at, silent)).toBe(false)
    expect(at.detachable).toBe(true)
  })

  it('is aborted by who counts what was read before', async () => {
    const [one, other] = [await connected(), await connected()]
    one.at.unread(Buffer.from('too much'))
    const flow: Flow = { ...silent, passed: () => one.ours.abort(new Error('enough')) }
    expect(engine.join!(one.at, other.at, flow)).toBe(true)
    await Promise.all([over(one.peer), over(other.peer)])
  })

  it.each(['client', 'target'] as const)('is aborted by the %s', async (side) => {
    const [one, other] = [await connected(), await connected()]
    expect(engine.join!(one.at, other.at, silent)).toBe(true)
    const broken = Promise.all([once(one.peer.resume(), 'error'), once(other.peer.resume(), 'error')])
    const { ours } = side === 'client' ? one : other
    ours.abort(new Error('enough'))
    ours.abort(new Error('enough'))
    expect(await broken).toMatchObject([[{ code: 'ECONNRESET' }], [{ code: 'ECONNRESET' }]])
  })
})

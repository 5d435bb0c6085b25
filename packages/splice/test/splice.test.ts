import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dial, portable, socketDuplex, type SocketDuplex } from '@it-socks/net'
import { join } from '@it-socks/relay'
import { splice } from '@it-socks/splice'
import { transportOf, type Flow, type Transport } from '@it-socks/stage'
import { duplexPair } from '@it-socks/testing'
import { hear, over } from './setup.ts'

/** A connection of Node's: our end as a duplex, and the peer's socket. */
const connected = async (): Promise<{ ours: SocketDuplex; socket: Socket; peer: Socket }> => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  const accepted = once(server, 'connection')
  await once(server, 'listening')
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  const [peer] = (await accepted) as [Socket]
  server.close()
  onTestFinished(() => {
    socket.destroy()
    peer.on('error', () => {}).destroy()
  })
  return { ours: socketDuplex(socket), socket, peer: peer.on('error', () => {}) }
}

const transport = (duplex: SocketDuplex): Transport => transportOf(duplex)!

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

  it('takes sockets over: Node has them no more, and their peers do not notice', async () => {
    const [one, other] = [await connected(), await connected()]
    const relayed = join(one.ours, other.ours, { engine: splice().join! })
    expect([one.socket.destroyed, other.socket.destroyed]).toEqual([true, true])
    const heard = hear(other.peer)
    one.peer.resume().end('hello')
    expect((await heard).toString()).toBe('hello')
    other.peer.end()
    expect(await relayed).toEqual({ up: 5, down: 0 })
  })

  it('leaves to others what is no socket', async () => {
    const { ours } = await connected()
    const [memory] = duplexPair()
    const other = { duplex: memory } as unknown as Transport
    expect(splice().join!(transport(ours), other, silent)).toBe(false)
    expect(splice().join!(other, transport(ours), silent)).toBe(false)
  })

  it.each(['client', 'target'] as const)('leaves to others a %s that somebody still reads', async (side) => {
    const before = readdirSync('/proc/self/fd').length
    const [one, other] = [await connected(), await connected()]
    const { ours, peer } = side === 'client' ? one : other
    const first = ours.source[Symbol.asyncIterator]().next()
    expect(splice().join!(transport(one.ours), transport(other.ours), silent)).toBe(false)
    peer.write('hello')
    expect(String((await first).value)).toBe('hello')
    // Nothing has happened.
    expect(readdirSync('/proc/self/fd').length).toBe(before + 4)
  })

  it('leaves to others what is closed', async () => {
    const [one, other] = [await connected(), await connected()]
    other.ours.abort(new Error('gone'))
    expect(splice().join!(transport(one.ours), transport(other.ours), silent)).toBe(false)
  })

  it('does not join a socket with itself', async () => {
    const { ours } = await connected()
    expect(splice().join!(transport(ours), transport(ours), silent)).toBe(false)
  })

  it('is aborted by who counts what was read before', async () => {
    const [one, other] = [await connected(), await connected()]
    transport(one.ours).unread(Buffer.from('too much'))
    const flow: Flow = { ...silent, passed: () => one.ours.abort(new Error('enough')) }
    expect(splice().join!(transport(one.ours), transport(other.ours), flow)).toBe(true)
    await Promise.all([over(one.peer), over(other.peer)])
  })

  it.each(['client', 'target'] as const)('is aborted by the %s', async (side) => {
    const [one, other] = [await connected(), await connected()]
    expect(splice().join!(transport(one.ours), transport(other.ours), silent)).toBe(true)
    const broken = Promise.all([once(one.peer.resume(), 'error'), once(other.peer.resume(), 'error')])
    const { ours } = side === 'client' ? one : other
    ours.abort(new Error('enough'))
    ours.abort(new Error('enough'))
    expect(await broken).toMatchObject([[{ code: 'ECONNRESET' }], [{ code: 'ECONNRESET' }]])
  })
})

import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { dial, portable, sockets } from '@it-socks/net'
import { join } from '@it-socks/relay'
import { splice } from '@it-socks/splice'
import { transportOf, type Flow, type Transport } from '@it-socks/stage'
import { duplexPair } from '@it-socks/testing'
import { connected as connectedBy, descriptorTransport, dialled, type Kind } from '../../../test/support/connected.ts'
import { pattern } from '../../../test/support/duplex.ts'
import { descriptors } from '../../../test/support/process.ts'
import { hear, over } from '../../../test/support/sockets.ts'

const engine = splice()

/** A connection of the engine, and what it travels on. */
const connected = async (kind?: Kind) => {
  const { ours, peer } = await connectedBy(engine, kind)
  return { ours, at: descriptorTransport(ours), peer }
}

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
    const said = pattern(8_000_000)
    const [atOther, atOne] = [hear(other.peer), hear(one.peer)]
    one.peer.end(said)
    other.peer.end('hello')
    expect((await atOther).equals(said)).toBe(true)
    expect((await atOne).toString()).toBe('hello')
    expect(await relayed).toEqual({ up: said.length, down: 5 })
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
    const { ours: tunnel } = await dialled(sockets)
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

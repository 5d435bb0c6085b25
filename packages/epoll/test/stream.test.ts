import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it } from 'vitest'
import type { Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { all, failureOf, hear, iterate, say, standstill } from '../../net/test/setup.ts'
import { connected, descriptors, engines, kinds } from './engines.ts'

const chunk = new Uint8Array(65_536).fill(7)
const text = (result: IteratorResult<Bytes> | undefined): string => Buffer.from(result?.value as Uint8Array).toString()

/** Resolves when a socket is closed, whatever went before. */
const closing = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => socket.on('error', () => {}).on('close', resolve))

const ways = engines.flatMap((engine) => kinds.map((way) => ({ engine, way, name: engine.name })))

describe.each(ways)('a connection of $name, $way', ({ engine, way }) => {
  it('speaks on after the peer has closed its half', async () => {
    const { ours, peer } = await connected(engine, way)
    peer.end('all I have to say')
    expect((await all(ours.source)).toString()).toBe('all I have to say')
    const heard = hear(peer)
    await ours.sink(say(hex`${'but '}`, hex`${'I have '}`, hex`${'more'}`))
    expect(await heard).toBe('but I have more')
  })

  it('hears on after it has closed its own half', async () => {
    const { ours, peer } = await connected(engine, way)
    const heard = hear(peer)
    await ours.sink(say(hex`${'all I have to say'}`))
    expect(await heard).toBe('all I have to say')
    peer.write('but I ')
    await turn()
    peer.end('have more')
    expect((await all(ours.source)).toString()).toBe('but I have more')
  })

  it('leaves no descriptor when both halves are closed', async () => {
    const before = await descriptors()
    const { ours, peer } = await connected(engine, way)
    const closed = once(peer, 'close')
    peer.resume().end()
    const [heard] = await Promise.all([all(ours.source), ours.sink(say()), closed])
    expect(heard).toHaveLength(0)
    // The listener of the other side may be open still.
    expect(await descriptors()).toBeLessThanOrEqual(before + 1)
  })

  it('loses nothing that comes before anybody reads', async () => {
    const { ours, peer } = await connected(engine, way)
    await new Promise<void>((sent) => void peer.end('early', sent))
    await descriptors()
    expect((await all(ours.source)).toString()).toBe('early')
  })

  it('gives its chunks in order to those who wait for one at the same time, then its end to all', async () => {
    const { ours, peer } = await connected(engine, way)
    const reader = iterate(ours)
    const waiting = [reader.next(), reader.next(), reader.next(), reader.next()]
    peer.write('one')
    expect(text(await waiting[0])).toBe('one')
    peer.end('two')
    expect(text(await waiting[1])).toBe('two')
    expect(await Promise.all(waiting.slice(2))).toEqual([{ done: true }, { done: true }])
    expect(await reader.next()).toEqual({ done: true })
  })

  it('closes also where nobody wants the rest of what the peer says', async () => {
    const { ours, peer } = await connected(engine, way)
    const closed = closing(peer)
    await iterate(ours).return?.()
    await ours.sink(say())
    for (let i = 0; i < 32; i++) peer.write(chunk)
    peer.resume().end()
    await closed
    expect(await iterate(ours).next()).toEqual({ done: true })
  })

  it('closes also where the peer goes on saying what nobody wants', async () => {
    const { ours, peer } = await connected(engine, way)
    const closed = closing(peer)
    const flood = (): void => {
      const more = (): unknown => peer.write(chunk, (error) => error ?? more())
      return void more()
    }
    flood()
    await iterate(ours).return?.()
    await ours.sink(say())
    await closed
    expect(peer.destroyed).toBe(true)
  })

  it('takes what nobody wants from a peer that would say no more before it is heard', async () => {
    const { ours, peer } = await connected(engine, way)
    await iterate(ours).return?.()
    for (let i = 0; i < 128; i++) peer.write(chunk)
    await once(peer, 'drain')
    const heard = hear(peer)
    await ours.sink(say(hex`${'enough'}`))
    expect(await heard).toBe('enough')
  })

  it('is over for its readers once the source is returned, also where more comes', async () => {
    const { ours, peer } = await connected(engine, way)
    const reader = iterate(ours)
    const waiting = reader.next()
    await reader.return?.()
    expect(await waiting).toEqual({ done: true })
    await new Promise((sent) => void peer.write('too late', sent))
    await descriptors()
    expect(await reader.next()).toEqual({ done: true })
  })

  it('takes back what was read, and says it again', async () => {
    const { ours, peer } = await connected(engine, way)
    peer.end('first, second')
    const reader = iterate(ours)
    const { value } = await reader.next()
    ours.transport!.unread((value as Uint8Array).subarray(7))
    expect(text(await reader.next())).toBe('second')
    expect(await reader.next()).toEqual({ done: true })
  })

  it('writes before its sink is called, in order, and tells when nothing waits any more', async () => {
    const { ours, peer } = await connected(engine, way)
    const transport = ours.transport!
    const heard = hear(peer)
    transport.write(new Uint8ArrayList(hex`${'one '}`, hex`${'two '}`))
    const reused = Buffer.from('three ')
    transport.write(reused)
    reused.fill(0)
    await new Promise<void>((resolve) => transport.drained(resolve))
    expect(transport.waiting).toBe(0)
    await ours.sink(say(hex`${'four'}`))
    expect(await heard).toBe('one two three four')
  })

  it('keeps what a deaf peer leaves waiting, and sends it as there is room', async () => {
    const { ours, peer } = await connected(engine, way)
    const transport = ours.transport!
    peer.pause()
    const large = new Uint8Array(32 * 1024 * 1024).map((_, index) => index % 251)
    transport.write(large)
    transport.write(Uint8Array.of(1, 2, 3))
    expect(transport.waiting).toBeGreaterThan(0)
    const drained = new Promise<void>((resolve) => transport.drained(resolve))
    const hearing = (async () => {
      const chunks: Uint8Array[] = []
      peer.on('data', (bytes) => chunks.push(bytes)).resume()
      await once(peer, 'end')
      return Buffer.concat(chunks)
    })()
    await drained
    expect(transport.waiting).toBe(0)
    await ours.sink(say())
    const heard = await hearing
    expect(heard.length).toBe(large.length + 3)
    expect(Buffer.compare(heard, Buffer.concat([large, Uint8Array.of(1, 2, 3)]))).toBe(0)
  })
})

describe.each(engines)('the ends of a connection of $name', (engine) => {
  it.each(['dialled', 'accepted'] as const)('are known: %s', async (way) => {
    const { ours, peer } = await connected(engine, way)
    expect(ours.transport?.duplex).toBe(ours)
    expect(ours.localAddress).toEqual({ host: '127.0.0.1', port: peer.remotePort })
    expect(ours.remoteAddress).toEqual({ host: '127.0.0.1', port: peer.localPort })
  })

  it('are IPv4 where a dual-stack socket has IPv4', async () => {
    const { ours } = await connected(engine, 'accepted', '::')
    expect([ours.localAddress?.host, ours.remoteAddress?.host]).toEqual(['::1', '::1'])
    const { ours: mapped } = await connected(engine, 'accepted', '::ffff:127.0.0.1')
    expect([mapped.localAddress?.host, mapped.remoteAddress?.host]).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('are none on a unix socket', async () => {
    const { ours } = await connected(engine, 'unix')
    expect([ours.localAddress, ours.remoteAddress]).toEqual([undefined, undefined])
  })
})

describe.each(ways)('a slow reader, of $name, $way', ({ engine, way }) => {
  /** So many chunks, of which `state.said` have been asked for. */
  const counted = (chunks: number) => {
    const state = { said: 0 }
    const source = (async function* (): AsyncGenerator<Bytes, void> {
      for (; state.said < chunks; state.said++) yield chunk
    })()
    return { state, source }
  }

  it('stops the sink: what the kernel does not take waits in the source, but for a chunk or two', async () => {
    const { ours, peer } = await connected(engine, way)
    peer.on('error', () => {}).pause()
    const { state, source } = counted(4096)
    const sent = failureOf(ours.sink(source))
    await standstill(() => state.said)
    expect(state.said).toBeLessThan(4096)
    expect(ours.transport?.waiting).toBeLessThanOrEqual(2 * chunk.length)
    const reason = new Error('enough')
    ours.abort(reason)
    expect(await sent).toBe(reason)
  })

  it('leaves in the kernel what it does not read', async () => {
    const { ours, peer } = await connected(engine, way)
    const sending = (async () => {
      for await (const bytes of counted(4096).source) {
        if (!peer.write(bytes.subarray())) await once(peer, 'drain')
      }
    })()
    const outcome = failureOf(sending)
    await iterate(ours).next()
    await standstill(() => peer.bytesWritten)
    expect(peer.writableNeedDrain).toBe(true)
    ours.abort(new Error('enough'))
    expect(await outcome).toMatchObject({ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) })
  })

  it('on both ends does not make a deadlock of two floods', async () => {
    const { ours, peer } = await connected(engine, way)
    const length = 64 * chunk.length
    const echoed = (async () => {
      let heard = 0
      for await (const bytes of ours.source) {
        heard += bytes.length
        await turn()
      }
      return heard
    })()
    let answered = 0
    peer.on('data', (bytes) => {
      answered += bytes.length
      peer.pause()
      setImmediate(() => peer.resume())
    })
    const ended = once(peer, 'end')
    for (let said = 0; said < 64; said++) peer.write(chunk)
    peer.end()
    await ours.sink(counted(64).source)
    await ended
    expect([await echoed, answered]).toEqual([length, length])
  })
})

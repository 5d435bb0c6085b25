import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it } from 'vitest'
import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { accepted, connected, kinds } from '../support/connected.ts'
import { all, failureOf, iterate, pattern, say, textOf } from '../support/duplex.ts'
import { countClosed, standstill } from '../support/process.ts'
import { hear, hearText } from '../support/sockets.ts'
import { engines } from './engines.ts'

const chunk = new Uint8Array(65_536).fill(7)

/** Every kind of connection of every engine. */
const connections = engines.flatMap(({ name, engine, hasTransports }) =>
  kinds.map((kind) => ({ name, engine, hasTransports, kind }))
)

describe.each(connections)('a connection of $name, $kind', ({ engine, kind, hasTransports }) => {
  it('speaks on after the peer has closed its half', async () => {
    const { ours, peer } = await connected(engine, kind)
    peer.end('all I have to say')
    expect((await all(ours.source)).toString()).toBe('all I have to say')
    const heard = hearText(peer)
    await ours.sink(say(hex`${'but '}`, hex`${'I have '}`, hex`${'more'}`))
    expect(await heard).toBe('but I have more')
  })

  it('hears on after it has closed its own half', async () => {
    const { ours, peer } = await connected(engine, kind)
    const heard = hearText(peer)
    await ours.sink(say(hex`${'all I have to say'}`))
    expect(await heard).toBe('all I have to say')
    peer.write('but I ')
    await turn()
    peer.end('have more')
    expect((await all(ours.source)).toString()).toBe('but I have more')
  })

  it('is closed when both halves are', async () => {
    const { ours, peer } = await connected(engine, kind)
    const closed = await countClosed()
    peer.resume().end()
    const [heard] = await Promise.all([all(ours.source), ours.sink(say()), closed(2)])
    expect(heard).toHaveLength(0)
  })

  it('can be taken apart, as it-pipe does', async () => {
    const { ours, peer } = await connected(engine, kind)
    const heard = hearText(peer)
    await ours.sink.call(undefined, say(hex`${'said'}`))
    expect(await heard).toBe('said')
  })

  it('loses nothing that comes before anybody reads', async () => {
    const { ours, peer } = await connected(engine, kind)
    await new Promise<void>((sent) => void peer.end('early', sent))
    await standstill(() => peer.bytesWritten)
    expect((await all(ours.source)).toString()).toBe('early')
  })

  it('gives its chunks in order to those who wait for one at the same time, then its end to all', async () => {
    const { ours, peer } = await connected(engine, kind)
    const reader = iterate(ours)
    const waiting = [reader.next(), reader.next(), reader.next(), reader.next()]
    peer.write('one')
    expect(textOf(await waiting[0])).toBe('one')
    peer.end('two')
    expect(textOf(await waiting[1])).toBe('two')
    expect(await Promise.all(waiting.slice(2))).toEqual([{ done: true }, { done: true }])
    expect(await reader.next()).toEqual({ done: true })
  })

  it('closes also where nobody wants the rest of what the peer says', async () => {
    const { ours, peer } = await connected(engine, kind)
    const closed = await countClosed()
    await iterate(ours).return?.()
    await ours.sink(say())
    for (let i = 0; i < 32; i++) peer.write(chunk)
    peer.resume().end()
    await closed(2)
    expect(await iterate(ours).next()).toEqual({ done: true })
    expect(await failureOf(ours.sink(say()))).toEqual(new ClosedError())
  })

  it('closes also where the peer goes on saying what nobody wants', async () => {
    const { ours, peer } = await connected(engine, kind)
    const closed = await countClosed()
    const flood = (): void => {
      const more = (): unknown => peer.write(chunk, (error) => error ?? more())
      return void more()
    }
    flood()
    await iterate(ours).return?.()
    await ours.sink(say())
    await closed(2)
    expect(peer.destroyed).toBe(true)
    expect(await failureOf(ours.sink(say()))).toEqual(new ClosedError())
  })

  it('takes what nobody wants from a peer that would say no more before it is heard', async () => {
    const { ours, peer } = await connected(engine, kind)
    await iterate(ours).return?.()
    for (let i = 0; i < 128; i++) peer.write(chunk)
    await once(peer, 'drain')
    const heard = hearText(peer)
    await ours.sink(say(hex`${'enough'}`))
    expect(await heard).toBe('enough')
  })

  it('is over for its readers once the source is returned, also where more comes', async () => {
    const { ours, peer } = await connected(engine, kind)
    const reader = iterate(ours)
    const waiting = reader.next()
    await reader.return?.()
    expect(await waiting).toEqual({ done: true })
    await new Promise((sent) => void peer.write('too late', sent))
    await standstill(() => peer.bytesWritten)
    expect(await reader.next()).toEqual({ done: true })
  })

  it('has a transport, of its own, where its engine has them', async () => {
    const { ours } = await connected(engine, kind)
    expect(ours.transport?.duplex).toBe(hasTransports ? ours : undefined)
  })

  it.runIf(hasTransports)('takes back what was read, and says it again', async () => {
    const { ours, peer } = await connected(engine, kind)
    peer.end('first, second')
    const reader = iterate(ours)
    const { value } = await reader.next()
    ours.transport!.unread((value as Uint8Array).subarray(7))
    expect(textOf(await reader.next())).toBe('second')
    expect(await reader.next()).toEqual({ done: true })
  })

  it.runIf(hasTransports)(
    'writes before its sink is called, in order, and tells when nothing waits any more',
    async () => {
      const { ours, peer } = await connected(engine, kind)
      const transport = ours.transport!
      const heard = hearText(peer)
      transport.write(new Uint8ArrayList(hex`${'one '}`, hex`${'two '}`))
      const reused = Buffer.from('three ')
      transport.write(reused)
      reused.fill(0)
      await new Promise<void>((resolve) => transport.drained(resolve))
      expect(transport.waiting).toBe(0)
      await ours.sink(say(hex`${'four'}`))
      expect(await heard).toBe('one two three four')
    }
  )

  it.runIf(hasTransports)('keeps what a deaf peer leaves waiting, and sends it as there is room', async () => {
    const { ours, peer } = await connected(engine, kind)
    const transport = ours.transport!
    peer.pause()
    const large = pattern(32 * 1024 * 1024)
    transport.write(large)
    transport.write(Uint8Array.of(1, 2, 3))
    expect(transport.waiting).toBeGreaterThan(0)
    const drained = new Promise<void>((resolve) => transport.drained(resolve))
    const heard = hear(peer)
    await drained
    expect(transport.waiting).toBe(0)
    await ours.sink(say())
    expect((await heard).equals(Buffer.concat([large, Uint8Array.of(1, 2, 3)]))).toBe(true)
  })
})

describe.each(engines)('the addresses of a connection of $name', ({ engine }) => {
  it.each(['dialled', 'accepted'] as const)('are known, also once it is gone: %s', async (kind) => {
    const { ours, peer } = await connected(engine, kind)
    const ends = [
      { host: '127.0.0.1', port: peer.remotePort },
      { host: '127.0.0.1', port: peer.localPort }
    ]
    expect([ours.localAddress, ours.remoteAddress]).toEqual(ends)
    const closed = await countClosed()
    ours.abort(new Error('enough'))
    peer.destroy()
    await closed(2)
    expect([ours.localAddress, ours.remoteAddress]).toEqual(ends)
  })

  it('are IPv4 where a dual-stack socket has IPv4', async () => {
    const { ours } = await accepted(engine, { host: '::', port: 0 })
    expect([ours.localAddress?.host, ours.remoteAddress?.host]).toEqual(['::1', '::1'])
    const { ours: mapped } = await accepted(engine, { host: '::ffff:127.0.0.1', port: 0 })
    expect([mapped.localAddress?.host, mapped.remoteAddress?.host]).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('are none on a unix socket', async () => {
    const { ours } = await connected(engine, 'unix')
    expect([ours.localAddress, ours.remoteAddress]).toEqual([undefined, undefined])
  })
})

describe.each(connections)('a slow reader, of $name, $kind', ({ engine, kind }) => {
  /** So many chunks, of which `state.said` have been asked for. */
  const counted = (chunks: number) => {
    const state = { said: 0 }
    const source = (async function* (): AsyncGenerator<Bytes, void> {
      for (; state.said < chunks; state.said++) yield chunk
    })()
    return { state, source }
  }

  it('stops the sink: what the kernel does not take waits in the source, but for a chunk or two', async () => {
    const { ours, peer } = await connected(engine, kind)
    peer.pause()
    const { state, source } = counted(4096)
    const sent = failureOf(ours.sink(source))
    await standstill(() => state.said)
    expect(state.said).toBeLessThan(4096)
    // What a socket of Node's holds is told by nobody here.
    expect(ours.transport?.waiting ?? 0).toBeLessThanOrEqual(2 * chunk.length)
    const reason = new Error('enough')
    ours.abort(reason)
    expect(await sent).toBe(reason)
  })

  it('leaves in the kernel what it does not read, but for a chunk or two', async () => {
    const { ours, peer } = await connected(engine, kind)
    const sending = (async () => {
      for await (const bytes of counted(4096).source) {
        if (!peer.write(bytes.subarray())) await once(peer, 'drain')
      }
    })()
    const outcome = failureOf(sending)
    const reader = iterate(ours)
    await reader.next()
    await standstill(() => peer.bytesWritten)
    expect(peer.writableNeedDrain).toBe(true)
    ours.abort(new Error('enough'))
    expect(await outcome).toMatchObject({ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) })
    // What comes yet had been read ahead: who does not hand that out has thrown it away.
    let ahead = 0
    await failureOf(
      (async () => {
        for (;;) ahead += (await reader.next()).value!.byteLength
      })()
    )
    expect(ahead).toBeLessThanOrEqual(4 * chunk.length)
  })

  it('on both ends does not make a deadlock of two floods', async () => {
    const { ours, peer } = await connected(engine, kind)
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

import { once } from 'node:events'
import { connect, type LookupFunction } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it, vi } from 'vitest'
import { isSocketTransport, socketDuplex } from '@it-socks/net'
import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import {
  all,
  connected,
  failureOf,
  hear,
  iterate,
  openDescriptors,
  plain,
  portOf,
  say,
  serving,
  silence,
  socketPath,
  standstill
} from './setup.ts'

const chunk = new Uint8Array(65_536).fill(7)

describe('a socket as a duplex', () => {
  it('speaks on after the peer has closed its half', async () => {
    const { ours, peer } = await connected()
    peer.end('all I have to say')
    expect((await all(ours.source)).toString()).toBe('all I have to say')
    const heard = hear(peer)
    await ours.sink(say(hex`${'but '}`, hex`${'I have '}`, hex`${'more'}`))
    expect(await heard).toBe('but I have more')
  })

  it('hears on after it has closed its own half', async () => {
    const { ours, peer } = await connected()
    const heard = hear(peer)
    await ours.sink(say(hex`${'all I have to say'}`))
    expect(await heard).toBe('all I have to say')
    peer.write('but I ')
    await turn()
    peer.end('have more')
    expect((await all(ours.source)).toString()).toBe('but I have more')
  })

  it('closes the socket when both halves are closed', async () => {
    const { ours, socket, peer } = await connected()
    const closed = once(socket, 'close')
    peer.resume().end()
    const [heard] = await Promise.all([all(ours.source), ours.sink(say()), closed])
    expect(heard).toHaveLength(0)
  })

  it('leaves no descriptor where it is aborted while its end is on the way', async () => {
    const pairs = await Promise.all(Array.from({ length: 20 }, () => connected()))
    const open = openDescriptors().length
    const closed = pairs.map(({ socket }) => once(socket, 'close'))
    // Node asks for the FIN some promise jobs later, and has it in another turn.
    const abortSoon = async ({ ours }: (typeof pairs)[number], jobs: number): Promise<void> => {
      void failureOf(ours.sink(say()))
      for (let job = 0; job < jobs; job++) await Promise.resolve()
      ours.abort(new Error('enough'))
    }
    await Promise.all(pairs.map((pair, index) => abortSoon(pair, index)))
    await Promise.all(closed)
    for (const { peer } of pairs) peer.destroy()
    await vi.waitFor(() => expect(openDescriptors().length).toBeLessThanOrEqual(open - 40))
  })

  it('can be taken apart, as it-pipe does', async () => {
    const { ours, peer } = await connected()
    const heard = hear(peer)
    await ours.sink.call(undefined, say(hex`${'said'}`))
    expect(await heard).toBe('said')
  })

  it('loses nothing that comes before anybody reads', async () => {
    const { ours, socket, peer } = await connected()
    peer.end('early')
    await standstill(() => socket.bytesRead)
    expect((await all(ours.source)).toString()).toBe('early')
  })

  it('loses nothing that came before it was made', async () => {
    const { socket, peer } = await plain()
    const readable = once(socket, 'readable')
    peer.write('early, ')
    await readable
    const ours = socketDuplex(socket)
    peer.end('and late')
    expect((await all(ours.source)).toString()).toBe('early, and late')
  })

  it('knows of the end that came before it was made', async () => {
    const { socket, peer } = await plain()
    const ended = once(socket.resume(), 'end')
    peer.end()
    await ended
    const ours = socketDuplex(socket)
    expect(await all(ours.source)).toHaveLength(0)
    const heard = hear(peer)
    await ours.sink(say(hex`${'and now I'}`))
    expect(await heard).toBe('and now I')
  })

  it('is broken where it was made of a socket that had been closed', async () => {
    const { socket } = await plain()
    const closed = once(socket, 'close')
    socket.destroy()
    await closed
    const ours = socketDuplex(socket)
    expect(await failureOf(all(ours.source))).toEqual(new ClosedError())
    expect(await failureOf(ours.sink(silence().source))).toEqual(new ClosedError())
    const broken = vi.fn<(error: unknown) => void>()
    ours.transport?.broken(broken)
    expect(broken).toHaveBeenCalledOnce()
  })

  it.each([
    ['TCP', async () => ({ host: '127.0.0.1' })],
    ['unix', socketPath]
  ])('may be made before it has connected: %s', async (_, where) => {
    const at = await where()
    const server = await serving(at)
    server.on('connection', (peer) => peer.pipe(peer))
    const ours = socketDuplex(
      connect({ ...('path' in at ? at : { ...at, port: portOf(server) }), allowHalfOpen: true })
    )
    const heard = all(ours.source)
    ours.transport?.write(hex`${'early, '}`)
    await ours.sink(say(hex`${'and late'}`))
    expect((await heard).toString()).toBe('early, and late')
  })

  it('may be made before it is known to which address it connects', async () => {
    const server = await serving({ host: '127.0.0.1' })
    server.on('connection', (peer) => peer.pipe(peer))
    const found = [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 }
    ]
    const lookup: LookupFunction = (_host, _options, callback) => callback(null, found)
    const to = { host: 'name', port: portOf(server), lookup, autoSelectFamily: true, allowHalfOpen: true }
    const ours = socketDuplex(connect(to))
    const first = iterate(ours).next()
    ours.transport?.write(hex`${'hello'}`)
    expect(String((await first).value)).toBe('hello')
    ours.abort(new Error('enough'))
  })

  it('gives its chunks in order to those who wait for one at the same time, then its end to all', async () => {
    const { ours, peer } = await connected()
    const reader = iterate(ours)
    const waiting = [reader.next(), reader.next(), reader.next(), reader.next()]
    peer.write('one')
    expect(String((await waiting[0])?.value)).toBe('one')
    peer.end('two')
    expect(String((await waiting[1])?.value)).toBe('two')
    expect(await Promise.all(waiting.slice(2))).toEqual([{ done: true }, { done: true }])
    expect(await reader.next()).toEqual({ done: true })
  })

  it('closes also where nobody wants the rest of what the peer says', async () => {
    const { ours, socket, peer } = await connected()
    const closed = once(socket, 'close')
    await iterate(ours).return?.()
    await ours.sink(say())
    for (let i = 0; i < 32; i++) peer.write(chunk)
    peer.resume().end()
    await closed
    expect(socket.destroyed).toBe(true)
  })

  it('closes also where the peer goes on saying what nobody wants', async () => {
    const { ours, socket, peer } = await connected()
    const closed = once(socket, 'close')
    const flood = (): void => {
      const more = (): unknown => peer.write(chunk, (error) => error ?? more())
      return void more()
    }
    peer.on('error', () => {})
    flood()
    await iterate(ours).return?.()
    await ours.sink(say())
    await closed
    expect(socket.destroyed).toBe(true)
  })

  it('is over for its readers once the source is returned, also where more comes', async () => {
    const { ours, socket, peer } = await connected()
    const reader = iterate(ours)
    const waiting = reader.next()
    await reader.return?.()
    expect(await waiting).toEqual({ done: true })
    peer.write('too late')
    await standstill(() => socket.bytesRead)
    expect(await reader.next()).toEqual({ done: true })
  })

  it('writes a list of arrays in one piece', async () => {
    const { ours, socket } = await connected()
    const written: number[] = []
    const write = socket.write.bind(socket)
    socket.write = (bytes: string | Uint8Array): boolean => {
      written.push(bytes.length)
      return write(bytes)
    }
    await ours.sink(say(new Uint8ArrayList(hex`05 00`, hex`00 01`, hex`7f000001 0050`), hex`01`))
    expect(written).toEqual([10, 1])
  })

  it('knows its addresses, and what it travels on', async () => {
    const { ours, socket, peer } = await connected()
    const { transport } = ours
    expect(transport !== undefined && isSocketTransport(transport) && transport.socket).toBe(socket)
    expect(transport?.duplex).toBe(ours)
    expect(ours.localAddress).toEqual({ host: '127.0.0.1', port: peer.remotePort })
    expect(ours.remoteAddress).toEqual({ host: '127.0.0.1', port: peer.localPort })
  })

  it('writes an IPv4 address that a dual-stack socket reports as IPv4', async () => {
    const { ours, socket } = await connected({ host: '::ffff:127.0.0.1' })
    expect(socket.remoteAddress).toBe('::ffff:127.0.0.1')
    expect([ours.localAddress?.host, ours.remoteAddress?.host]).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('has no addresses on a unix socket', async () => {
    const { ours } = await connected(await socketPath())
    expect([ours.localAddress, ours.remoteAddress]).toEqual([undefined, undefined])
  })
})

describe('a slow reader', () => {
  /** So many chunks, of which `state.said` have been asked for. */
  const counted = (chunks: number) => {
    const state = { said: 0 }
    const source = (async function* (): AsyncGenerator<Bytes, void> {
      for (; state.said < chunks; state.said++) yield chunk
    })()
    return { state, source }
  }

  it('stops the sink: what the kernel does not take waits in the source, but for a chunk or two', async () => {
    const { ours, socket, peer } = await connected()
    peer.pause()
    const { state, source } = counted(4096)
    const sent = failureOf(ours.sink(source))
    await standstill(() => state.said)
    expect(state.said).toBeLessThan(4096)
    expect(socket.writableLength).toBeLessThanOrEqual(2 * chunk.length)
    const reason = new Error('enough')
    ours.abort(reason)
    expect(await sent).toBe(reason)
  })

  it('leaves in the kernel what it does not read, but for a chunk or two', async () => {
    const { ours, socket, peer } = await connected()
    const sending = (async () => {
      for await (const bytes of counted(4096).source) {
        if (!peer.write(bytes.subarray())) await once(peer, 'drain')
      }
    })()
    const outcome = failureOf(sending)
    await iterate(ours).next()
    await standstill(() => socket.bytesRead + peer.bytesWritten)
    expect(peer.writableNeedDrain).toBe(true)
    expect(socket.bytesRead).toBeLessThanOrEqual(4 * chunk.length)
    ours.abort(new Error('enough'))
    expect(await outcome).toMatchObject({ code: 'ECONNRESET' })
  })

  it('on both ends does not make a deadlock of two floods', async () => {
    const { ours, peer } = await connected()
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

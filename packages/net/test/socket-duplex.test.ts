import { once } from 'node:events'
import { connect, type LookupFunction } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it, vi } from 'vitest'
import { listen, socketDuplex, type SocketDuplex } from '@it-socks/net'
import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import {
  all,
  connected,
  countClosed,
  failureOf,
  handleOf,
  hear,
  iterate,
  kinds,
  openDescriptors,
  opened,
  plain,
  portOf,
  say,
  serving,
  silence,
  socketPath,
  standstill,
  textOf,
  transport,
  type Where
} from './setup.ts'

const chunk = new Uint8Array(65_536).fill(7)

const wheres: ReadonlyArray<readonly [string, () => Promise<Where | undefined>]> = [
  ['TCP', async () => undefined],
  ['unix', socketPath]
]

describe.each(kinds)('%s as a duplex', (_, open) => {
  it.each(wheres)('speaks on after the peer has closed its half: %s', async (_, where) => {
    const { ours, peer } = await open(await where())
    peer.end('all I have to say')
    expect((await all(ours.source)).toString()).toBe('all I have to say')
    const heard = hear(peer)
    await ours.sink(say(hex`${'but '}`, hex`${'I have '}`, hex`${'more'}`))
    expect(await heard).toBe('but I have more')
  })

  it.each(wheres)('hears on after it has closed its own half: %s', async (_, where) => {
    const { ours, peer } = await open(await where())
    const heard = hear(peer)
    await ours.sink(say(hex`${'all I have to say'}`))
    expect(await heard).toBe('all I have to say')
    peer.write('but I ')
    await turn()
    peer.end('have more')
    expect((await all(ours.source)).toString()).toBe('but I have more')
  })

  it('is closed when both halves are', async () => {
    const { ours, peer } = await open()
    const closed = await countClosed()
    peer.resume().end()
    const [heard] = await Promise.all([all(ours.source), ours.sink(say()), closed(2)])
    expect(heard).toHaveLength(0)
  })

  it.each(wheres)('leaves no descriptor where it is aborted while its end is on the way: %s', async (_, where) => {
    const pairs = await Promise.all(Array.from({ length: 20 }, async () => open(await where())))
    const descriptors = openDescriptors().length
    const closed = await countClosed()
    // The end is said some promise jobs later, and is on its way until another turn.
    const abortSoon = async ({ ours }: (typeof pairs)[number], jobs: number): Promise<void> => {
      void failureOf(ours.sink(say()))
      for (let job = 0; job < jobs; job++) await Promise.resolve()
      ours.abort(new Error('enough'))
    }
    await Promise.all(pairs.map((pair, index) => abortSoon(pair, index)))
    for (const { peer } of pairs) peer.destroy()
    await closed(40)
    expect(openDescriptors().length).toBeLessThanOrEqual(descriptors - 40)
  })

  it('can be taken apart, as it-pipe does', async () => {
    const { ours, peer } = await open()
    const heard = hear(peer)
    await ours.sink.call(undefined, say(hex`${'said'}`))
    expect(await heard).toBe('said')
  })

  it('loses nothing that comes before anybody reads', async () => {
    const { ours, peer } = await open()
    peer.end('early')
    await standstill(() => peer.bytesWritten)
    expect((await all(ours.source)).toString()).toBe('early')
  })

  it('gives its chunks in order to those who wait for one at the same time, then its end to all', async () => {
    const { ours, peer } = await open()
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
    const { ours, peer } = await open()
    const closed = await countClosed()
    await iterate(ours).return?.()
    await ours.sink(say())
    for (let i = 0; i < 32; i++) peer.write(chunk)
    peer.resume().end()
    await closed(2)
    expect(await failureOf(ours.sink(say()))).toEqual(new ClosedError())
  })

  it('closes also where the peer goes on saying what nobody wants', async () => {
    const { ours, peer } = await open()
    const closed = await countClosed()
    const flood = (): void => {
      const more = (): unknown => peer.write(chunk, (error) => error ?? more())
      return void more()
    }
    peer.on('error', () => {})
    flood()
    await iterate(ours).return?.()
    await ours.sink(say())
    await closed(2)
    expect(await failureOf(ours.sink(say()))).toEqual(new ClosedError())
  })

  it('says its last and is closed without a reset, whatever it has been told meanwhile', async () => {
    const { ours, peer } = await open()
    const closed = await countClosed()
    // As much as the kernel holds.
    await new Promise((resolve) => peer.write(chunk, resolve))
    const heard = hear(peer)
    await iterate(ours).return?.()
    await ours.sink(say(hex`${'goodbye'}`))
    expect(await heard).toBe('goodbye')
    await closed(1)
    // Where there was a reset the kernel takes no more; where there was none it does, once.
    const refused = await new Promise((resolve) => peer.write('so soon?', resolve))
    expect(refused ?? 'taken').toBe('taken')
  })

  it('is over for its readers once the source is returned, also where more comes', async () => {
    const { ours, peer } = await open()
    const reader = iterate(ours)
    const waiting = reader.next()
    await reader.return?.()
    expect(await waiting).toEqual({ done: true })
    peer.write('too late')
    await standstill(() => peer.bytesWritten)
    expect(await reader.next()).toEqual({ done: true })
  })

  it('knows its addresses', async () => {
    const { ours, peer } = await open()
    expect(ours.localAddress).toEqual({ host: '127.0.0.1', port: peer.remotePort })
    expect(ours.remoteAddress).toEqual({ host: '127.0.0.1', port: peer.localPort })
  })

  it('still knows them once it is gone', async () => {
    const { ours, peer } = await open()
    const addresses = [ours.localAddress, ours.remoteAddress]
    const closed = await countClosed()
    ours.abort(new Error('enough'))
    peer.destroy()
    await closed(2)
    expect([ours.localAddress, ours.remoteAddress]).toEqual(addresses)
  })

  it('has no addresses on a unix socket', async () => {
    const { ours } = await open(await socketPath())
    expect([ours.localAddress, ours.remoteAddress]).toEqual([undefined, undefined])
  })
})

describe('a socket of Node’s as a duplex', () => {
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
    await ours.sink(say(hex`${'early, '}`, hex`${'and late'}`))
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
    const reason = new Error('enough')
    const speaking = (async function* (): AsyncGenerator<Bytes, void> {
      yield hex`${'hello'}`
      // Node never has done with an end that is said before this has connected.
      yield* silence().source
    })()
    const sent = failureOf(ours.sink(speaking))
    expect(textOf(await first)).toBe('hello')
    ours.abort(reason)
    expect(await sent).toBe(reason)
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

  it('writes an IPv4 address that a dual-stack socket reports as IPv4', async () => {
    const { ours, socket } = await connected({ host: '::ffff:127.0.0.1' })
    expect(socket.remoteAddress).toBe('::ffff:127.0.0.1')
    expect([ours.localAddress?.host, ours.remoteAddress?.host]).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('has no transport: what is public of a socket does not make one', async () => {
    const { ours } = await connected()
    expect(ours.transport).toBeUndefined()
  })
})

describe('a handle as a duplex', () => {
  it.each([
    ['an IPv4 client of a dual-stack listener by an IPv4 address', '127.0.0.1'],
    ['an IPv6 client by its own', '::1']
  ])('names %s', async (_, host) => {
    let taken!: (connection: SocketDuplex) => void
    const connection = new Promise<SocketDuplex>((resolve) => {
      taken = resolve
    })
    const listener = listen({ host: '::', port: 0 }, { accept: taken })
    const { port } = (await listener.listening) as { port: number }
    const socket = connect({ host, port })
    const ours = await connection
    listener.close()
    expect([ours.localAddress, ours.remoteAddress]).toEqual([
      { host, port },
      { host, port: socket.localPort }
    ])
    const closed = once(socket.resume(), 'close')
    await Promise.all([ours.sink(say()), all(ours.source), closed])
  })

  // Without a descriptor all that is written goes through the handle, where it can be seen.
  it('writes a list of arrays in one piece', async () => {
    const { ours, peer } = await opened(undefined, (handle) => {
      Object.defineProperty(handle, 'fd', { value: undefined })
    })
    const handle = handleOf(ours)
    const write = vi.spyOn(handle, 'writeBuffer')
    const heard = all(peer)
    await ours.sink(say(new Uint8ArrayList(hex`05 00`, hex`00 01`, hex`7f000001 0050`), hex`01`))
    expect(write.mock.calls.map(([, bytes]) => bytes.length)).toEqual([10, 1])
    expect(await heard).toHaveLength(11)
  })

  it('shares its functions: a copy has none of them', async () => {
    const { ours } = await opened()
    expect(Object.keys({ ...ours })).not.toContain('sink')
    expect(transport(ours).duplex).toBe(ours)
  })
})

describe.each(kinds)('a slow reader of %s', (_, open) => {
  /** So many chunks, of which `state.said` have been asked for. */
  const counted = (chunks: number) => {
    const state = { said: 0 }
    const source = (async function* (): AsyncGenerator<Bytes, void> {
      for (; state.said < chunks; state.said++) yield chunk
    })()
    return { state, source }
  }

  it('stops the sink: what the kernel does not take waits in the source, but for a chunk or two', async () => {
    const { ours, peer, held } = await open()
    peer.pause()
    const { state, source } = counted(4096)
    const sent = failureOf(ours.sink(source))
    await standstill(() => state.said)
    expect(state.said).toBeLessThan(4096)
    expect(held()).toBeLessThanOrEqual(2 * chunk.length)
    const reason = new Error('enough')
    ours.abort(reason)
    expect(await sent).toBe(reason)
  })

  it('leaves in the kernel what it does not read, but for a chunk or two', async () => {
    const { ours, peer } = await open()
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
    const { ours, peer } = await open()
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

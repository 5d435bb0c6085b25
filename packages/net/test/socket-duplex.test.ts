import { once } from 'node:events'
import { connect, type LookupFunction } from 'node:net'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it, vi } from 'vitest'
import { listen, socketDuplex, type SocketDuplex } from '@it-socks/net'
import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { descriptorTransport } from '../../../test/support/connected.ts'
import { all, failureOf, iterate, say, silence, textOf } from '../../../test/support/duplex.ts'
import { countClosed, openResources, standstill } from '../../../test/support/process.ts'
import { hearText, portOf, serving, socketPath } from '../../../test/support/sockets.ts'
import { connected, handleOf, kinds, opened, plain, type Where } from './setup.ts'

const chunk = new Uint8Array(65_536).fill(7)

const wheres: ReadonlyArray<readonly [string, () => Promise<Where | undefined>]> = [
  ['TCP', async () => undefined],
  ['unix', socketPath]
]

// What every engine's connections do is in `test/engines`.
describe.each(kinds)('%s as a duplex', (_, open) => {
  it.each(wheres)('leaves no descriptor where it is aborted while its end is on the way: %s', async (_, where) => {
    const pairs = await Promise.all(Array.from({ length: 20 }, async () => open(await where())))
    const before = await standstill(openResources)
    // The end is said some promise jobs later, and is on its way until another turn.
    const abortSoon = async ({ ours }: (typeof pairs)[number], jobs: number): Promise<void> => {
      void failureOf(ours.sink(say()))
      for (let job = 0; job < jobs; job++) await Promise.resolve()
      ours.abort(new Error('enough'))
    }
    await Promise.all(pairs.map((pair, index) => abortSoon(pair, index)))
    for (const { peer } of pairs) peer.destroy()
    // Both ends of each, and of either its descriptor and its handle.
    expect(await standstill(openResources)).toBe(before - 80)
  })

  it('says its last and is closed without a reset, whatever it has been told meanwhile', async () => {
    const { ours, peer } = await open()
    const closed = await countClosed()
    // As much as the kernel holds.
    await new Promise((resolve) => peer.write(chunk, resolve))
    const heard = hearText(peer)
    await iterate(ours).return?.()
    await ours.sink(say(hex`${'goodbye'}`))
    expect(await heard).toBe('goodbye')
    await closed(1)
    // Where there was a reset the kernel takes no more; where there was none it does, once.
    const refused = await new Promise((resolve) => peer.write('so soon?', resolve))
    expect(refused ?? 'taken').toBe('taken')
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
    const heard = hearText(peer)
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

  it('holds but a chunk or two of what the kernel does not take', async () => {
    const { ours, socket, peer } = await connected()
    peer.pause()
    const flood = async function* (): AsyncGenerator<Bytes, void> {
      for (;;) yield chunk
    }
    const sent = failureOf(ours.sink(flood()))
    await standstill(() => socket.bytesWritten)
    expect(socket.writableNeedDrain).toBe(true)
    expect(socket.writableLength).toBeLessThanOrEqual(2 * chunk.length)
    const reason = new Error('enough')
    ours.abort(reason)
    expect(await sent).toBe(reason)
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
    expect(descriptorTransport(ours).duplex).toBe(ours)
  })
})

import { describe, expect, it } from 'vitest'
import type { Tunnel } from '@it-socks/stage'
import { hex, memoryBinder, type MemoryDuplex } from '@it-socks/testing'

const one = { host: '192.0.2.9', port: 1 }
const two = { host: '192.0.2.9', port: 2 }

const iterate = (connections: AsyncIterable<Tunnel>) => connections[Symbol.asyncIterator]()

/** What the peer's next read comes to. */
const read = ({ source }: MemoryDuplex) => source[Symbol.asyncIterator]().next()

describe('memoryBinder', () => {
  it('hands on those that connect, in their order, whether they were waited for or not', async () => {
    const { binder, connect } = memoryBinder()
    const { connections } = await binder()
    const taking = iterate(connections)
    await connect(one)
    expect((await taking.next()).value?.remoteAddress).toEqual(one)
    const next = taking.next()
    await connect(two)
    expect((await next).value?.remoteAddress).toEqual(two)
  })

  it('joins the peer with the tunnel', async () => {
    const { binder, connect } = memoryBinder({ address: { host: '2001:db8::1', port: 9 } })
    const { address, connections } = await binder()
    const peer = await connect(one)
    const { value: tunnel } = await iterate(connections).next()
    expect([address, tunnel?.localAddress, peer.remoteAddress]).toEqual(
      Array.from({ length: 3 }, () => ({ host: '2001:db8::1', port: 9 }))
    )
    void tunnel?.sink(
      (async function* () {
        yield hex`01`
      })()
    )
    expect((await read(peer)).value).toEqual(hex`01`)
  })

  it('lets a peer wait for a socket to connect to', async () => {
    const { binder, connect } = memoryBinder()
    const connected = connect(one)
    const { connections } = await binder()
    expect((await iterate(connections).next()).value?.remoteAddress).toEqual(one)
    expect((await connected).localAddress).toEqual(one)
  })

  it('tells what it was asked for', async () => {
    const { binder, asked } = memoryBinder()
    await binder({ peer: '192.0.2.9' })
    expect(asked).toEqual([{ peer: '192.0.2.9' }])
  })
})

describe('a socket of memoryBinder stops listening', () => {
  const ways = ['close', 'leaving the loop', 'the signal'] as const

  it.each(ways)('by %s: who waits is let go, who was not taken is reset', async (way) => {
    const { binder, connect, listening } = memoryBinder()
    const owner = new AbortController()
    const binding = await binder({ signal: owner.signal })
    const taking = iterate(binding.connections)
    expect(listening()).toBe(1)
    await connect(one)
    const { value: taken } = await taking.next()
    const left = await connect(two)

    if (way === 'close') binding.close()
    else if (way === 'the signal') owner.abort(new Error('enough'))
    else await taking.return?.()

    expect(listening()).toBe(0)
    expect(await taking.next()).toMatchObject({ done: true })
    await expect(read(left)).rejects.toThrow('the peer reset the connection')
    await taken?.sink((async function* () {})())
  })

  it('by close, and lets go of one who waits for a peer', async () => {
    const { binder } = memoryBinder()
    const binding = await binder()
    const next = iterate(binding.connections).next()
    binding.close()
    binding.close()
    expect(await next).toMatchObject({ done: true })
  })

  it('and leaves nothing on the signal', async () => {
    const { binder, listening } = memoryBinder()
    const owner = new AbortController()
    const first = await binder({ signal: owner.signal })
    first.close()
    await binder({ signal: owner.signal })
    expect(listening()).toBe(1)
    owner.abort(new Error('enough'))
    expect(listening()).toBe(0)
  })

  it('before it has begun, where the signal has aborted', async () => {
    const { binder, listening } = memoryBinder()
    await expect(binder({ signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late')
    expect(listening()).toBe(0)
  })

  it('and resets a peer that comes in that very moment', async () => {
    const { binder, connect } = memoryBinder()
    const connected = connect(one)
    const opened = binder()
    void opened.then((binding) => binding.close())
    await expect(read(await connected)).rejects.toThrow('the peer reset the connection')
  })
})

import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { IdleError } from '@it-socks/protocol'
import { join, tap, type JoinOptions, type JoinTransports } from '@it-socks/relay'
import { cancellation, type ByteDuplex, type Flow, type Transport } from '@it-socks/stage'
import { failureOf } from './setup.ts'

/** A duplex that nobody is to iterate, with a transport whose relay is the test's. */
const connection = (joins = true) => {
  const abort = vi.fn<(reason: unknown) => void>()
  const joined = vi.fn<Transport['join']>(() => joins)
  const sink = vi.fn<ByteDuplex['sink']>(() => new Promise(() => {}))
  const duplex: ByteDuplex & { transport: Transport } = {
    source: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) },
    sink,
    abort,
    transport: {
      get duplex() {
        return duplex
      },
      write: () => {},
      waiting: 0,
      drained: () => {},
      broken: () => {},
      unread: () => {},
      join: joined
    }
  }
  const flow = (): Flow => {
    const [, flow] = joined.mock.calls[0] ?? []
    if (flow === undefined) throw new Error('nobody has joined it')
    return flow
  }
  return { duplex, sink, abort, joined, flow }
}

const start = (options?: JoinOptions, joins?: boolean) => {
  const client = connection(joins)
  const target = connection(joins)
  return { client, target, relayed: join(client.duplex, target.duplex, options) }
}

describe('a relay of two that have transports', () => {
  it('is by the client’s transport, counts what it tells, and ends when it says so', async () => {
    const { client, target, relayed } = start()
    expect(client.joined).toHaveBeenCalledExactlyOnceWith(target.duplex.transport, expect.anything())
    expect(client.sink).not.toHaveBeenCalled()
    client.flow().passed('up', 3)
    client.flow().passed('down', 4)
    client.flow().passed('up', 5)
    client.flow().ended()
    expect(await relayed).toEqual({ up: 8, down: 4 })
    expect([client.abort, target.abort].map(({ mock }) => mock.calls)).toEqual([[], []])
  })

  it('fails by what it says, and aborts both sides, once', async () => {
    const { client, target, relayed } = start()
    const error = new Error('ECONNRESET')
    client.flow().failed(error)
    client.flow().failed(new Error('again'))
    client.flow().ended()
    expect(await failureOf(relayed)).toBe(error)
    expect([client.abort, target.abort].map(({ mock }) => mock.calls)).toEqual([[[error]], [[error]]])
  })

  it('is aborted by a cancellation, which keeps no listener', async () => {
    const owner = cancellation()
    const forget = vi.spyOn(owner, 'forget')
    const { client, target, relayed } = start({ signal: owner })
    const reason = new Error('the server is closing')
    owner.abort(reason)
    expect(await failureOf(relayed)).toBe(reason)
    expect([client.abort, target.abort].map(({ mock }) => mock.calls)).toEqual([[[reason]], [[reason]]])
    expect(forget).toHaveBeenCalled()
  })

  it('is idle where nothing passes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { client, relayed } = start({ idle: 1000 })
    const failure = failureOf(relayed)
    await vi.advanceTimersByTimeAsync(900)
    client.flow().passed('down', 1)
    await vi.advanceTimersByTimeAsync(999)
    expect(client.abort).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(await failure).toEqual(new IdleError(1000))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('that is long idle may be so a second longer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { client, relayed } = start({ idle: 60_000 })
    const failure = failureOf(relayed)
    await vi.advanceTimersByTimeAsync(500)
    client.flow().passed('down', 1)
    await vi.advanceTimersByTimeAsync(59_999)
    expect(client.abort).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1000)
    expect(await failure).toEqual(new IdleError(60_000))
  })
})

describe('the engine of a relay', () => {
  it('fails it by throwing: both sides are aborted, and nothing listens', async () => {
    const error = new Error('EMFILE')
    const owner = cancellation()
    const { client, target, relayed } = start({
      signal: owner,
      engine: () => {
        throw error
      }
    })
    expect(await failureOf(relayed)).toBe(error)
    owner.abort(new Error('too late'))
    expect([client.abort, target.abort].map(({ mock }) => mock.calls)).toEqual([[[error]], [[error]]])
  })

  it('comes before the transports', () => {
    const engine = vi.fn<JoinTransports>(() => true)
    const { client, target } = start({ engine })
    expect(engine).toHaveBeenCalledExactlyOnceWith(client.duplex.transport, target.duplex.transport, expect.anything())
    expect(client.joined).not.toHaveBeenCalled()
  })

  it('leaves it to them where it cannot', () => {
    const { client } = start({ engine: () => false })
    expect(client.joined).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['where they cannot either', { engine: () => false }, 1],
    ['where it is to be by iterators', { engine: 'iterators' as const }, 0],
    ['where there are transforms', { up: [tap(() => {})] }, 0]
  ])('leaves it to iterators %s', async (_, options: JoinOptions, asked) => {
    const { client, target } = start(options, false)
    await Promise.resolve()
    expect([client, target].map(({ sink }) => sink.mock.calls.length)).toEqual([1, 1])
    expect(client.joined).toHaveBeenCalledTimes(asked)
  })

  it('leaves it to iterators where somebody has put something around a side', () => {
    const client = connection()
    const target = connection()
    void join({ ...client.duplex }, target.duplex)
    void join(client.duplex, { ...target.duplex })
    expect(client.joined).not.toHaveBeenCalled()
  })
})

import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ClosedError } from '@it-socks/protocol'
import { join, tap, type Transform } from '@it-socks/relay'
import type { Bytes, ByteDuplex } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'
import { all, failureOf, failuresOf, flood, iterate, open, say, standstill } from './setup.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** A client, a target, and the two ends between them that are to be joined. */
const ends = () => {
  const [client, near] = duplexPair()
  const [far, target] = duplexPair()
  return { client, near, far, target }
}

describe('join', () => {
  it('carries bytes both ways, and resolves with how many', async () => {
    const { client, near, far, target } = ends()
    const relayed = join(near, far)
    const [up, down] = await Promise.all([
      all(target.source),
      all(client.source),
      client.sink(say(hex`01 02`, hex`03`)),
      target.sink(say(hex`ff`))
    ])
    expect([up, down]).toEqual([hex`01 02 03`, hex`ff`])
    expect(await relayed).toEqual({ up: 3, down: 1 })
  })

  it('lets the target talk on after the client has closed its half', async () => {
    const { client, near, far, target } = ends()
    const relayed = join(near, far)
    const hearing = all(client.source)
    const [asked] = await Promise.all([all(target.source), client.sink(say(hex`01`))])
    expect(asked).toEqual(hex`01`)
    await target.sink(say(hex`02`, hex`03`, hex`04`))
    expect(await hearing).toEqual(hex`02 03 04`)
    expect(await relayed).toEqual({ up: 1, down: 3 })
  })

  it('lets the client talk on after the target has closed its half', async () => {
    const { client, near, far, target } = ends()
    const relayed = join(near, far)
    const hearing = all(target.source)
    const [told] = await Promise.all([all(client.source), target.sink(say(hex`01`))])
    expect(told).toEqual(hex`01`)
    await client.sink(say(hex`02`, hex`03`, hex`04`))
    expect(await hearing).toEqual(hex`02 03 04`)
    expect(await relayed).toEqual({ up: 3, down: 1 })
  })

  it('counts as it goes, in the caller’s own object, and resolves with that', async () => {
    const { client, near, far, target } = ends()
    const traffic = { up: 5, down: 7 }
    const relayed = join(near, far, { traffic })
    const [listening, answering] = [iterate(target), iterate(client)]
    const sent = client.sink(say(hex`01 02 03`, hex`04`))
    await listening.next()
    expect(traffic.up).toBeGreaterThanOrEqual(8)
    expect(traffic.down).toBe(7)
    await Promise.all([listening.next(), listening.next(), sent])
    expect(traffic).toEqual({ up: 9, down: 7 })
    await Promise.all([target.sink(say()), answering.next()])
    expect(await relayed).toBe(traffic)
    expect(traffic).toEqual({ up: 9, down: 7 })
  })

  it.each(['client', 'target'] as const)('stops the writer where the %s does not read', async (stalled) => {
    const { client, near, far, target } = ends()
    const relayed = join(near, far)
    const { state, source } = flood(1)
    const writer = stalled === 'client' ? target : client
    const sent = writer.sink(source)
    // One chunk in each of the two connections, at most one more in between.
    expect(await standstill(() => state.said)).toBeLessThanOrEqual(3)
    const enough = new Error('enough')
    writer.abort(enough)
    expect(await failuresOf(sent, relayed)).toEqual([enough, expect.any(ClosedError)])
  })
})

describe('a side that breaks', () => {
  it.each(['client', 'target'] as const)('resets the other: the %s, and the error comes out', async (breaking) => {
    const { client, near, far, target } = ends()
    const relayed = join(near, far)
    const [broken, other] = breaking === 'client' ? [client, target] : [target, client]
    const rest = failuresOf(iterate(other).next(), other.sink(open()))
    broken.abort(new Error('enough'))
    const error = await failureOf(relayed)
    expect(error).toEqual(new ClosedError('the peer reset the connection'))
    expect(await rest).toEqual([error, error])
  })

  it.each(['client', 'target'] as const)('resets both where the source of the %s throws', async (failing) => {
    const { client, near, far, target } = ends()
    const error = new Error('disk full')
    const broken = (duplex: ByteDuplex): ByteDuplex => ({
      ...duplex,
      source: (async function* (): AsyncGenerator<Bytes, void> {
        yield hex`01`
        throw error
      })()
    })
    const relayed = failing === 'client' ? join(broken(near), far) : join(near, broken(far))
    const other = failing === 'client' ? target : client
    const listening = iterate(other)
    expect((await listening.next()).value).toEqual(hex`01`)
    expect(await failureOf(relayed)).toBe(error)
    const reset = new ClosedError('the peer reset the connection')
    expect(await failuresOf(client.sink(open()), target.sink(open()), listening.next())).toEqual([reset, reset, reset])
  })

  const withoutAbort = (duplex: ByteDuplex): ByteDuplex => ({
    source: duplex.source,
    sink: (source) => duplex.sink(source)
  })

  it('is no trouble where a duplex has no abort', async () => {
    const [client, near] = duplexPair()
    const [far, target] = duplexPair()
    const relayed = join(withoutAbort(near), withoutAbort(far))
    client.abort(new Error('enough'))
    expect(await failureOf(relayed)).toEqual(new ClosedError('the peer reset the connection'))
    expect(await failureOf(iterate(target).next())).toEqual(new ClosedError('the peer reset the connection'))
  })
})

describe('the signal', () => {
  it.each(['before', 'while'])('aborts both sides, %s they are joined, and keeps no listener', async (when) => {
    const { client, near, far, target } = ends()
    const owner = new AbortController()
    const reason = new Error('the server is closing')
    if (when === 'before') owner.abort(reason)
    const relayed = join(near, far, { signal: owner.signal })
    const reset = new ClosedError('the peer reset the connection')
    const rest = failuresOf(...[client, target].flatMap((end) => [iterate(end).next(), end.sink(open())]))
    if (when === 'while') owner.abort(reason)
    expect(await failureOf(relayed)).toBe(reason)
    expect(await rest).toEqual([reset, reset, reset, reset])
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it.each(['ends', 'breaks'])('is not listened to any more where the relay %s', async (how) => {
    const { client, near, far, target } = ends()
    const owner = new AbortController()
    const relayed = join(near, far, { signal: owner.signal })
    if (how === 'breaks') client.abort(new Error('enough'))
    else void Promise.all([client.sink(say()), target.sink(say()), all(client.source), all(target.source)])
    await Promise.allSettled([relayed])
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })
})

describe('transforms', () => {
  const append = (byte: number): Transform =>
    async function* (source) {
      for await (const bytes of source) yield Uint8Array.of(...bytes.subarray(), byte)
    }

  it('are gone through in their order, each direction through its own', async () => {
    const { client, near, far, target } = ends()
    const relayed = join(near, far, { up: [append(1), append(2)], down: [append(3), append(4)] })
    const [up, down] = await Promise.all([
      all(target.source),
      all(client.source),
      client.sink(say(hex`aa`)),
      target.sink(say(hex`bb`))
    ])
    expect([up, down]).toEqual([hex`aa 01 02`, hex`bb 03 04`])
    // What is counted is what came.
    expect(await relayed).toEqual({ up: 1, down: 1 })
  })

  const error = new Error('cannot compress this')
  const failing: Array<[string, Transform]> = [
    [
      'at a chunk',
      tap(() => {
        throw error
      })
    ],
    [
      'before there is any',
      () => {
        throw error
      }
    ]
  ]
  it.each(
    failing.flatMap(([when, transform]) => [
      { when, way: 'up', transform } as const,
      { when, way: 'down', transform } as const
    ])
  )('that throw $when on the way $way reset both sides and leave nothing', async ({ way, transform }) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { client, near, far, target } = ends()
    const owner = new AbortController()
    const relayed = join(near, far, { [way]: [transform], idle: 1000, signal: owner.signal })
    const [speaker, listener] = way === 'up' ? [client, target] : [target, client]
    const spoken = [speaker.sink(open(hex`01`)), iterate(speaker).next()]
    const rest = failuresOf(...spoken, listener.sink(open()), iterate(listener).next())
    expect(await failureOf(relayed)).toBe(error)
    const reset = new ClosedError('the peer reset the connection')
    expect(await rest).toEqual([reset, reset, reset, reset])
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it.each(['client', 'target'] as const)('are told by their signal why the %s broke', async (breaking) => {
    const { client, near, far, target } = ends()
    const told: unknown[] = []
    const deaf: Transform = (source, signal) => {
      signal.addEventListener('abort', () => told.push(signal.reason))
      return source
    }
    const relayed = join(near, far, { up: [deaf] })
    ;(breaking === 'client' ? client : target).abort(new Error('enough'))
    expect(told).toEqual([])
    expect([await failureOf(relayed)]).toEqual(told)
    expect(told).toEqual([new ClosedError('the peer reset the connection')])
  })
})

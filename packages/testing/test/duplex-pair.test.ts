import { setImmediate as quiet } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Uint8ArrayList } from 'uint8arraylist'
import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'

const reset = new ClosedError('the peer reset the connection')

const say = async function* (...chunks: Bytes[]): AsyncGenerator<Bytes, void> {
  yield* chunks
}

/** A source that has nothing to say until it is returned. */
const silence = () => {
  const state = { returned: false }
  const source: AsyncIterable<Bytes> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      async return() {
        state.returned = true
        return { done: true, value: undefined }
      }
    })
  }
  return { state, source }
}

/** Says one byte after another, and counts them. */
const counting = () => {
  const state = { said: 0, returned: false }
  const source = (async function* () {
    try {
      for (;;) yield Uint8Array.of(state.said++)
    } finally {
      state.returned = true
    }
  })()
  return { state, source }
}

const all = async (source: AsyncIterable<Bytes>): Promise<Bytes[]> => {
  const chunks: Bytes[] = []
  for await (const chunk of source) chunks.push(chunk)
  return chunks
}

const iterate = (source: AsyncIterable<Bytes>): AsyncIterator<Bytes> => source[Symbol.asyncIterator]()

describe('duplexPair', () => {
  it('carries what one end is given to the other, chunk by chunk, both ways', async () => {
    const [near, far] = duplexPair()
    const list = new Uint8ArrayList(hex`01`, hex`02 03`)
    const [there, back] = await Promise.all([
      all(far.source),
      all(near.source),
      near.sink(say(hex`00`, list)),
      far.sink(say(hex`ff`, hex`fe`))
    ])
    expect(there).toEqual([hex`00`, list])
    expect(back).toEqual([hex`ff`, hex`fe`])
  })

  it('knows both addresses from both ends', () => {
    const addresses = [
      { host: '::1', port: 5 },
      { host: '::1', port: 6 }
    ] as const
    const [near, far] = duplexPair({ addresses })
    expect([near.localAddress, near.remoteAddress]).toEqual(addresses)
    expect([far.remoteAddress, far.localAddress]).toEqual(addresses)
  })

  it.each(['near', 'far'])('half-closes: the other way goes on after the %s end has said all', async (first) => {
    const [near, far] = duplexPair()
    const [ended, open] = first === 'near' ? [near, far] : [far, near]
    await Promise.all([ended.sink(say(hex`01`)), all(open.source)])
    const [heard] = await Promise.all([all(ended.source), open.sink(say(hex`02`, hex`03`))])
    expect(heard).toEqual([hex`02`, hex`03`])
  })

  it('hands an end of nothing over as an end', async () => {
    const [near, far] = duplexPair()
    await near.sink(say())
    expect(await all(far.source)).toEqual([])
  })

  it('makes the writer wait for the reader: one chunk is on its way at most', async () => {
    const [near, far] = duplexPair()
    const { state, source } = counting()
    const sent = near.sink(source)
    await quiet()
    expect(state.said).toBe(1)

    const reader = iterate(far.source)
    for (let read = 1; read <= 3; read++) {
      expect((await reader.next()).value).toEqual(Uint8Array.of(read - 1))
      await quiet()
      expect(state.said).toBe(read + 1)
    }
    near.abort(reset)
    await expect(sent).rejects.toBe(reset)
  })

  it('serves readers in their order, where several wait', async () => {
    const [near, far] = duplexPair()
    const reader = iterate(far.source)
    const waiting = Promise.all([reader.next(), reader.next(), reader.next()])
    await near.sink(say(hex`01`, hex`02`))
    expect((await waiting).map(({ value }) => value)).toEqual([hex`01`, hex`02`, undefined])
  })

  it('stalls the writer where the reader has gone, as a socket that nobody reads', async () => {
    const [near, far] = duplexPair()
    const { state, source } = counting()
    const sent = near.sink(source)
    await iterate(far.source).return?.()
    await quiet()
    expect(state).toEqual({ said: 1, returned: false })
    near.abort(reset)
    await expect(sent).rejects.toBe(reset)
  })

  it('lets go of a reader that waits when the source is returned', async () => {
    const [, far] = duplexPair()
    const reader = iterate(far.source)
    const waiting = reader.next()
    await reader.return?.()
    expect((await waiting).done).toBe(true)
    expect((await reader.next()).done).toBe(true)
  })
})

describe('abort', () => {
  it.each(['before', 'while'])('fails all four directions, %s they are in use', async (when) => {
    const [near, far] = duplexPair()
    const reason = new Error('enough')
    if (when === 'before') near.abort(reason)
    const [mine, theirs] = [silence(), silence()]
    const outcomes = Promise.allSettled([
      iterate(near.source).next(),
      near.sink(mine.source),
      iterate(far.source).next(),
      far.sink(theirs.source)
    ])
    if (when === 'while') near.abort(reason)
    expect((await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
      reason,
      reason,
      reset,
      reset
    ])
    expect([mine.state.returned, theirs.state.returned]).toEqual([true, true])
  })

  it('frees a sink that is blocked by a reader who does not read', async () => {
    const [near, far] = duplexPair()
    const { state, source } = counting()
    const sent = near.sink(source)
    await quiet()
    far.abort(new Error('enough'))
    await expect(sent).rejects.toEqual(reset)
    await quiet()
    expect(state).toEqual({ said: 1, returned: true })
  })

  it('stays: who reads on after the failure does not find an end', async () => {
    const [near, far] = duplexPair()
    near.abort(new Error('enough'))
    const reader = iterate(far.source)
    await expect(reader.next()).rejects.toEqual(reset)
    await expect(reader.next()).rejects.toEqual(reset)
  })

  it('does not undo an end that has come before', async () => {
    const [near, far] = duplexPair()
    await near.sink(say())
    near.abort(new Error('enough'))
    expect(await all(far.source)).toEqual([])
  })

  it('keeps its first reason', async () => {
    const [near] = duplexPair()
    near.abort(new Error('first'))
    near.abort(new Error('second'))
    await expect(all(near.source)).rejects.toThrow('first')
    await expect(near.sink(say())).rejects.toThrow('first')
  })

  it('follows where the source that a sink was given throws', async () => {
    const [near, far] = duplexPair()
    const failing = async function* (): AsyncGenerator<Bytes, void> {
      yield hex`01`
      throw new Error('disk full')
    }
    const reader = iterate(far.source)
    const back = far.sink(silence().source)
    const sent = near.sink(failing())
    expect((await reader.next()).value).toEqual(hex`01`)
    await expect(sent).rejects.toThrow('disk full')
    await expect(reader.next()).rejects.toEqual(reset)
    await expect(back).rejects.toEqual(reset)
    await expect(all(near.source)).rejects.toThrow('disk full')
  })
})

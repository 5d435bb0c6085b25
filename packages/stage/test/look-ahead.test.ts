import { setImmediate as quiet } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { greeting } from '@it-socks/protocol'
import { readFrames, type Bytes } from '@it-socks/stage'
import { duplexPair, hex, toHex } from '@it-socks/testing'
import { chunks } from './steps.ts'

/** A source that says these chunks, then breaks. */
const breaking = async function* (error: Error, ...bytes: Bytes[]): AsyncGenerator<Bytes, void> {
  yield* bytes
  throw error
}

const all = async (source: AsyncIterable<Bytes>): Promise<string> => {
  const heard: number[] = []
  for await (const bytes of source) heard.push(...bytes.subarray())
  return toHex(Uint8Array.from(heard))
}

/** Says one chunk of 16 KiB after another, and counts them. */
const endless = () => {
  const state = { said: 0 }
  const source = (async function* () {
    for (;;) {
      state.said++
      yield new Uint8Array(16 * 1024)
    }
  })()
  return { state, source }
}

describe('peek', () => {
  it('waits for as many bytes as it is asked for, however they are cut', async () => {
    for (const bytes of [[hex`01 02 03 04`], [hex`01`, hex`02`, hex`03`, hex`04`], [hex`01`, hex``, hex`02 03 04`]]) {
      expect(await readFrames(chunks(...bytes)).peek(3)).toEqual(hex`01 02 03`)
    }
  })

  it('gives fewer only where the stream has ended', async () => {
    const frames = readFrames(chunks(hex`01`, hex`02`))
    expect(await frames.peek(3)).toEqual(hex`01 02`)
    expect(await frames.peek(3)).toEqual(hex`01 02`)
    expect(await readFrames(chunks()).peek(1)).toEqual(hex``)
  })

  it('consumes nothing: the next message and the rest have it all', async () => {
    const frames = readFrames(chunks(hex`05`, hex`01 00 aa`, hex`bb`))
    expect(await frames.peek(2)).toEqual(hex`05 01`)
    expect(await frames.peek(1)).toEqual(hex`05`)
    expect(await frames.read(greeting)).toEqual({ methods: [0] })
    expect(await frames.peek(2)).toEqual(hex`aa bb`)
    expect(await all(frames.rest())).toBe('aa bb')
  })

  it('pulls no chunk that it does not need', async () => {
    const { state, source } = endless()
    const frames = readFrames(source)
    await frames.peek(0)
    expect(state.said).toBe(0)
    await frames.peek(16 * 1024)
    await frames.peek(1)
    expect(state.said).toBe(1)
  })

  it('rejects with what breaks the stream, and what came before can still be read', async () => {
    const error = new Error('ECONNRESET')
    const frames = readFrames(breaking(error, hex`05 01 00 05`))
    await expect(frames.peek(5)).rejects.toBe(error)
    expect(await frames.read(greeting)).toEqual({ methods: [0] })
    expect(await frames.peek(1)).toEqual(hex`05`)
    await expect(frames.read(greeting)).rejects.toBe(error)
  })
})

describe('ended', () => {
  it('resolves when the peer has half-closed, and loses nothing of what it had said', async () => {
    const frames = readFrames(chunks(hex`05 01 00 aa`, hex`bb`))
    await frames.ended()
    expect(await frames.read(greeting)).toEqual({ methods: [0] })
    expect(await all(frames.rest())).toBe('aa bb')
  })

  it('rejects with what breaks the connection', async () => {
    const [near, far] = duplexPair()
    const ended = readFrames(near.source).ended()
    far.abort(new Error('gone'))
    await expect(ended).rejects.toThrow('the peer reset the connection')
  })

  it('reads no more than 64 KiB ahead', async () => {
    const { state, source } = endless()
    void readFrames(source).ended()
    await quiet()
    expect(state.said).toBe(4)
  })

  it('stops looking where somebody takes the rest, who is not read ahead of then', async () => {
    const { state, source } = endless()
    const frames = readFrames(source)
    void frames.ended()
    const rest = frames.rest()[Symbol.asyncIterator]()
    await quiet()
    expect(state.said).toBe(1)
    expect((await rest.next()).value?.byteLength).toBe(16 * 1024)
    await quiet()
    expect(state.said).toBe(1)
  })

  it('gives the chunk that it was waiting for to whoever takes the rest', async () => {
    const [near, far] = duplexPair()
    const frames = readFrames(near.source)
    void frames.ended()
    const heard = all(frames.rest())
    await far.sink(chunks(hex`01`, hex`02`))
    expect(await heard).toBe('01 02')
  })

  it('stops looking where the rest goes through a cipher', async () => {
    const { state, source } = endless()
    const frames = readFrames(source)
    void frames.ended()
    frames.through((rest) => rest)
    await quiet()
    expect(state.said).toBe(1)
  })

  it('does not resolve behind more than it looks at, though the stream ends there', async () => {
    const frames = readFrames(chunks(new Uint8Array(64 * 1024), hex`01`))
    let seen = false
    void frames.ended().then(() => (seen = true))
    await quiet()
    expect(seen).toBe(false)
    expect((await all(frames.rest())).length).toBe((64 * 1024 + 1) * 3 - 1)
  })

  it('gives the chunk that it was waiting for to the next message, and keeps what came glued to it', async () => {
    const [near, far] = duplexPair()
    const frames = readFrames(near.source)
    void frames.ended()
    const message = frames.read(greeting)
    const sent = far.sink(chunks(hex`05`, hex`01 00 aa`, hex`bb`))
    expect(await message).toEqual({ methods: [0] })
    await sent
    expect(await all(frames.rest())).toBe('aa bb')
  })

  it('may be asked by several at once, who pull each chunk once', async () => {
    const frames = readFrames(chunks(hex`01`, hex`02`))
    const peeked = frames.peek(2)
    await Promise.all([frames.ended(), frames.ended()])
    expect(await peeked).toEqual(hex`01 02`)
    expect(await all(frames.rest())).toBe('01 02')
  })

  it('gives nobody a chunk twice where the rest is pulled twice at once', async () => {
    const [near, far] = duplexPair()
    const frames = readFrames(near.source)
    void frames.ended()
    const rest = frames.rest()[Symbol.asyncIterator]()
    const heard = Promise.all([rest.next(), rest.next()])
    await far.sink(chunks(hex`01`, hex`02`))
    expect((await heard).map(({ value }) => toHex(value!.subarray()))).toEqual(['01', '02'])
  })

  it('keeps what came before a break, and the break itself: a reset is not taken for a half-close', async () => {
    const error = new Error('ECONNRESET')
    const frames = readFrames(breaking(error, hex`05 01 00 aa`))
    await expect(frames.ended()).rejects.toBe(error)
    expect(await frames.read(greeting)).toEqual({ methods: [0] })
    const rest = frames.rest()[Symbol.asyncIterator]()
    expect((await rest.next()).value?.subarray()).toEqual(hex`aa`)
    await expect(rest.next()).rejects.toBe(error)
  })

  it('closes the source where the reader of the rest stops, also while it waits for a chunk', async () => {
    const [near] = duplexPair()
    const frames = readFrames(near.source)
    const ended = frames.ended()
    await frames.rest()[Symbol.asyncIterator]().return?.()
    await ended
    expect(await all(near.source)).toBe('')
  })
})

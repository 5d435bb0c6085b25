import { setImmediate as quiet } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { greeting } from '@it-socks/protocol'
import { readFrames, type Bytes } from '@it-socks/stage'
import { duplexPair, hex, toHex } from '@it-socks/testing'
import { chunks } from './steps.ts'

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
})

import { describe, expect, it } from 'vitest'
import { Uint8ArrayList } from 'uint8arraylist'
import { greeting, methodSelection } from '@it-socks/protocol'
import { frames, isHandoff, never, readFrames, type Bytes } from '@it-socks/stage'
import { hex, toHex } from '@it-socks/testing'
import { chunks, handoff, run } from './steps.ts'

/** A source of these chunks that tells how many were pulled and whether it was closed. */
const watched = (...bytes: Bytes[]) => {
  const state = { pulled: 0, closed: false }
  const source = (async function* () {
    try {
      for (const chunk of bytes) {
        state.pulled++
        yield chunk
      }
    } finally {
      state.closed = true
    }
  })()
  return { state, source }
}

const all = async (source: AsyncIterable<Bytes>): Promise<string[]> => {
  const heard: string[] = []
  for await (const bytes of source) heard.push(toHex(bytes.subarray()))
  return heard
}

describe('frames', () => {
  it('is one handoff that knows nothing, protects nothing and says nothing', async () => {
    const { said, handoff: start } = await run(frames()(chunks(hex`05 01 00`)))
    expect(said).toEqual([])
    expect(start).toMatchObject({ context: {}, signal: never })
    expect(start?.refuse(new Error('any'))).toBeUndefined()
    const bytes = hex`01`
    expect(start?.seal(bytes)).toBe(bytes)
    expect(await start?.frames.read(greeting)).toEqual({ methods: [0] })
  })

  it('starts with the signal and the context that it is given', async () => {
    const { signal } = new AbortController()
    const context = { listener: 'tcp' }
    const { handoff: start } = await run(frames({ signal, context })(chunks()))
    expect(start).toMatchObject({ signal, context })
  })

  it('pulls nothing before somebody reads', async () => {
    const { state, source } = watched(hex`05 01 00`)
    await run(frames()(source))
    expect(state).toEqual({ pulled: 0, closed: false })
  })

  it('tells a handoff from bytes', () => {
    expect(isHandoff(handoff())).toBe(true)
    expect(isHandoff(hex`00`)).toBe(false)
    expect(isHandoff(new Uint8ArrayList(hex`00`))).toBe(false)
  })
})

describe('readFrames', () => {
  it('reads message after message and pulls a chunk only when it must', async () => {
    const { state, source } = watched(hex`05`, hex`01 00 05`, hex`02 00 02 05 ff`, hex`aa`)
    const reader = readFrames(source)
    expect(await reader.read(greeting)).toEqual({ methods: [0] })
    expect(state.pulled).toBe(2)
    expect(await reader.read(greeting)).toEqual({ methods: [0, 2] })
    expect(await reader.read(methodSelection)).toEqual({ method: 0xff })
    expect(state.pulled).toBe(3)
    expect(await all(reader.rest())).toEqual(['aa'])
  })

  it('takes lists and empty chunks for what they hold', async () => {
    const list = new Uint8ArrayList(hex`01`, hex``, hex`00 aa`)
    const reader = readFrames(chunks(hex``, hex`05`, hex``, list, hex`bb`))
    expect(await reader.read(greeting)).toEqual({ methods: [0] })
    expect(await all(reader.rest())).toEqual(['aa', 'bb'])
  })

  it('gives the whole stream as rest where nothing was read', async () => {
    expect(await all(readFrames(chunks(hex`01`, hex`02`)).rest())).toEqual(['01', '02'])
  })

  it('throws what the source throws', async () => {
    const broken = async function* (): AsyncGenerator<Bytes, void> {
      yield hex`05`
      throw new RangeError('ECONNRESET')
    }
    await expect(readFrames(broken()).read(greeting)).rejects.toThrow(RangeError)
  })

  it('counts what had come of a message that is cut short, glued chunks before it not', async () => {
    const reader = readFrames(chunks(hex`05 ff 05 03`, hex`00`))
    await reader.read(methodSelection)
    await expect(reader.read(greeting)).rejects.toMatchObject({ name: 'TruncatedError', received: 3 })
  })

  it.each([
    ['before it has begun', 0],
    ['at what came glued', 1],
    ['after that', 2]
  ])('closes the source where the reader of the rest stops %s', async (_, read) => {
    const { state, source } = watched(hex`05 ff aa`, hex`bb`, hex`cc`)
    const reader = readFrames(source)
    await reader.read(methodSelection)
    const rest = reader.rest()[Symbol.asyncIterator]()
    for (let count = 0; count < read; count++) await rest.next()
    await rest.return?.()
    expect(state.closed).toBe(true)
  })
})

describe('through', () => {
  const flip = async function* (source: AsyncIterable<Bytes>): AsyncGenerator<Bytes, void> {
    for await (const bytes of source) yield bytes.subarray().map((byte) => byte ^ 0xff)
  }

  it('deciphers everything after the last message, what came glued to it too', async () => {
    const reader = readFrames(chunks(hex`05 80 fa`, hex`fe ff 55`, hex`44`))
    await reader.read(methodSelection)
    const plain = reader.through(flip)
    expect(await plain.read(greeting)).toEqual({ methods: [0] })
    expect(await all(plain.rest())).toEqual(['aa', 'bb'])
  })

  it('can be done twice', async () => {
    const reader = readFrames(chunks(hex`05 01 00`))
      .through(flip)
      .through(flip)
    expect(await reader.read(greeting)).toEqual({ methods: [0] })
  })

  it('pulls nothing before somebody reads', () => {
    const { state, source } = watched(hex`05`)
    readFrames(source).through(flip)
    expect(state.pulled).toBe(0)
  })
})

describe('readNow', () => {
  it('gives a message that has come whole, however it is cut, and waits for nothing', async () => {
    const { state, source } = watched(hex`05`, hex`01 00 05`, hex`01`)
    const reader = readFrames(source)
    expect(reader.readNow(greeting)).toBeUndefined()
    expect(state.pulled).toBe(0)
    await reader.peek(2)
    expect(reader.readNow(greeting)).toEqual({ methods: [0] })
    expect(reader.readNow(greeting)).toBeUndefined()
    expect(state.pulled).toBe(2)
  })

  it('reads nothing of one that has not, which can be waited for', async () => {
    const reader = readFrames(chunks(hex`05 02`, hex`00`, hex`02 aa`))
    await reader.peek(1)
    expect(reader.readNow(greeting)).toBeUndefined()
    expect(await reader.read(greeting)).toEqual({ methods: [0, 2] })
    expect(await all(reader.rest())).toEqual(['aa'])
  })

  it('throws for one that is malformed', async () => {
    const reader = readFrames(chunks(hex`04 01 00`))
    await reader.peek(1)
    expect(() => reader.readNow(greeting)).toThrow('VER must be 0x05')
  })

  it('leaves it to who waits that the stream has ended', async () => {
    const reader = readFrames(chunks(hex`05 01`))
    await reader.peek(3)
    expect(reader.readNow(greeting)).toBeUndefined()
    await expect(reader.read(greeting)).rejects.toThrow('the greeting ended after 2 bytes, in METHODS')
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Uint8ArrayList } from 'uint8arraylist'
import { MalformedError, TruncatedError, decode, message, type Field, type Message } from '@it-socks/protocol'
import { readFrames, type Bytes } from '@it-socks/stage'
import { hex, toHex } from '@it-socks/testing'
import { anyMessage, everyMessage, noise } from '../../protocol/test/arbitrary.ts'

/** The largest message there is: a SOCKS4a request with a user id and a domain of 255 bytes each. */
const maximum = 1 + 1 + 2 + 4 + 255 + 1 + 255 + 1

/** Where to cut, as numbers that any length can make places of; and whether chunks come as lists. */
const cutting = fc.record({ places: fc.array(fc.nat(), { maxLength: 12 }), lists: fc.boolean(), empty: fc.boolean() })
type Cutting = typeof cutting extends fc.Arbitrary<infer T> ? T : never

const cut = (bytes: Uint8Array, { places, lists, empty }: Cutting): Bytes[] => {
  const offsets = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b)
  const pieces = [0, ...offsets].map((from, index) => bytes.slice(from, offsets[index] ?? bytes.length))
  const chunks = empty ? pieces : pieces.filter(({ length }) => length > 0)
  return chunks.map((chunk) => (lists ? new Uint8ArrayList(chunk.subarray(0, 1), chunk.subarray(1)) : chunk))
}

/** A source of these chunks that counts the bytes that were pulled, also without those of the last pull. */
const metered = (chunks: readonly Bytes[]) => {
  const meter = { pulled: 0, before: 0 }
  const source = async function* (): AsyncGenerator<Bytes, void> {
    for (const chunk of chunks) {
      meter.before = meter.pulled
      meter.pulled += chunk.byteLength
      yield chunk
    }
  }
  return { meter, source: source() }
}

const collect = async (source: AsyncIterable<Bytes>): Promise<Uint8Array> => {
  const list = new Uint8ArrayList()
  for await (const bytes of source) list.append(bytes)
  return list.slice()
}

/** What comes of reading: a value, or the name and message of an error. */
const outcome = async (read: () => unknown): Promise<object> => {
  try {
    return { value: await read() }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return { error: String(error), code: error.code, within: error.within }
  }
}

describe('read, however the bytes are cut', () => {
  it('gives messages in their order, and the rest to the byte', async () => {
    const messages = fc.array(anyMessage, { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(messages, fc.uint8Array({ maxLength: 50 }), cutting, async (messages, tail, cutting) => {
        const bytes = hex`${Buffer.concat(messages.map(({ message, value }) => message.encode(value)))} ${tail}`
        const reader = readFrames(metered(cut(bytes, cutting)).source)
        for (const { message, value } of messages) expect(await reader.read(message)).toEqual(value)
        expect(await collect(reader.rest())).toEqual(tail)
      })
    )
  })

  it('pulls no chunk that it does not need', async () => {
    await fc.assert(
      fc.asyncProperty(anyMessage, fc.uint8Array({ maxLength: 50 }), cutting, async (any, tail, cutting) => {
        const { message, value } = any
        const bytes = message.encode(value)
        const { meter, source } = metered(cut(hex`${bytes} ${tail}`, cutting))
        await readFrames(source).read(message)
        expect(meter.pulled).toBeGreaterThanOrEqual(bytes.length)
        expect(meter.before).toBeLessThan(bytes.length)
      })
    )
  })

  it('is a TruncatedError wherever the stream ends', async () => {
    await fc.assert(
      fc.asyncProperty(anyMessage, fc.nat(), cutting, async ({ message, value }, place, cutting) => {
        const bytes = message.encode(value)
        const received = place % bytes.length
        const reading = readFrames(metered(cut(bytes.subarray(0, received), cutting)).source).read(message)
        const error: unknown = await reading.catch((error: unknown) => error)
        expect(error).toBeInstanceOf(TruncatedError)
        expect(error).toMatchObject({ received, within: { message: message.name } })
      })
    )
  })

  it('comes to the same as decode does on the whole, also for noise, and holds no more than a message', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...everyMessage), noise, cutting, async (message, bytes, cutting) => {
        const { meter, source } = metered(cut(bytes, cutting))
        const reader = readFrames(source)
        expect(await outcome(() => reader.read(message))).toEqual(await outcome(() => decode(message, bytes).value))
        expect(meter.before).toBeLessThan(maximum)
      }),
      { numRuns: 1000 }
    )
  })

  it('does not pull again where a field cannot be right: an endless peer is not read on', async () => {
    const endless = async function* (): AsyncGenerator<Bytes, void> {
      for (;;) yield hex`47`
    }
    const wrong = (message: Message<unknown>) => readFrames(endless()).read(message)
    const outcomes = await Promise.allSettled(everyMessage.map(wrong))
    expect(
      outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason instanceof MalformedError)
    ).toEqual(everyMessage.map(() => true))
  })
})

describe('a part that a byte ends, however the bytes are cut', () => {
  const line: Field<string> = {
    decode: (parts) => toHex(parts.take({ name: 'LINE', length: 8, ending: 0, meaning: toHex })),
    encode: () => []
  }
  const lines = message<{ one: string; two: string }>('lines', [
    ['one', line],
    ['two', line]
  ])

  it('is the same as in the whole, and what comes behind it stays', async () => {
    const letters = fc.array(fc.constantFrom(0, 1, 2), { maxLength: 30 }).map((bytes) => Uint8Array.from(bytes))
    await fc.assert(
      fc.asyncProperty(letters, cutting, async (bytes, cutting) => {
        const reader = readFrames(metered(cut(bytes, cutting)).source)
        const whole = await outcome(() => decode(lines, bytes).value)
        expect(await outcome(() => reader.read(lines))).toEqual(whole)
        if (!('value' in whole)) return
        expect(await collect(reader.rest())).toEqual(bytes.subarray(decode(lines, bytes).length))
      })
    )
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MalformedError, TruncatedError, decode, decodeDatagram, dissect, encodeDatagram } from '@it-socks/protocol'
import { address, anyMessage, everyMessage, noise } from './arbitrary.ts'

const thrownBy = (act: () => unknown): unknown => {
  try {
    act()
    return undefined
  } catch (error) {
    return error
  }
}

describe('every message', () => {
  it('comes back as it was written, whatever follows it', () => {
    fc.assert(
      fc.property(anyMessage, fc.uint8Array({ maxLength: 20 }), ({ message, value }, more) => {
        const bytes = message.encode(value)
        expect(decode(message, Uint8Array.from([...bytes, ...more]))).toEqual({ value, length: bytes.length })
      })
    )
  })

  it('is a TruncatedError wherever it is cut, and tells where', () => {
    fc.assert(
      fc.property(anyMessage, ({ message, value }) => {
        const bytes = message.encode(value)
        for (let length = 0; length < bytes.length; length++) {
          const error = thrownBy(() => decode(message, bytes.subarray(0, length)))
          expect(error).toBeInstanceOf(TruncatedError)
          expect(error).toMatchObject({ received: length, within: { message: message.name } })
        }
      })
    )
  })

  it('has a dissection without gaps', () => {
    fc.assert(
      fc.property(anyMessage, ({ message, value }) => {
        const bytes = message.encode(value)
        const end = dissect(message, bytes).reduce((offset, row) => {
          expect(row.offset).toBe(offset)
          return offset + row.length
        }, 0)
        expect(end).toBe(bytes.length)
      })
    )
  })

  it('makes of any bytes a value or a MalformedError, and a dissection in any case', () => {
    fc.assert(
      fc.property(fc.constantFrom(...everyMessage), noise, (message, bytes) => {
        const error = thrownBy(() => {
          const { value, length } = decode(message, bytes)
          expect(length).toBeLessThanOrEqual(bytes.length)
          // What could be read can be written: a proxy passes it on.
          message.encode(value)
        })
        expect(error instanceof MalformedError ? undefined : error).toBeUndefined()
        expect(dissect(message, bytes).reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 2000 }
    )
  })
})

describe('a datagram', () => {
  it('comes back as it was written, with its data', () => {
    const datagram = fc.record({
      fragment: fc.nat({ max: 255 }),
      destination: address,
      data: fc.uint8Array({ maxLength: 2000 })
    })
    fc.assert(
      fc.property(datagram, (value) => {
        expect(decodeDatagram(encodeDatagram(value))).toEqual(value)
      })
    )
  })
})

import { describe, expect, it } from 'vitest'
import { TruncatedError, decode, dissect, measure, message, type Field, type Part } from '@it-socks/protocol'
import { hex, toHex } from '@it-socks/testing'

const line: Part = { name: 'LINE', length: 4, ending: 0x0a, meaning: toHex }

describe('a part that a byte ends', () => {
  it.each([
    ['nothing', hex``, undefined],
    ['a part of it', hex`01 02 03`, undefined],
    ['the ending alone', hex`0a`, 1],
    ['all of it', hex`01 02 0a`, 3],
    ['all of it and more, with another ending', hex`01 0a 03 0a`, 2],
    ['the most that it may have', hex`01 02 03 0a 05`, 4],
    ['more than it may have', hex`01 02 03 04 0a`, 4],
    ['the most that it may have, without an ending', hex`01 02 03 04`, 4]
  ])('is measured where there is %s', (_, bytes, length) => {
    expect(measure(line, bytes)).toBe(length)
  })

  it('is not looked for behind the most that it may have: a large chunk is not searched', () => {
    const asked: number[] = []
    const bytes = { byteLength: 1e6, subarray: (from: number, to: number) => (asked.push(from, to), hex`01 02 03 04`) }
    expect(measure(line, bytes)).toBe(4)
    expect(asked).toEqual([0, 4])
  })
})

describe('a part of so many bytes', () => {
  it.each([
    [hex``, undefined],
    [hex`01 0a 03`, undefined],
    [hex`01 0a 03 04`, 4],
    [hex`01 0a 03 04 05`, 4]
  ])('does not look at what they are: %o', (bytes, length) => {
    expect(measure({ name: 'FOUR', length: 4, meaning: toHex }, bytes)).toBe(length)
  })
})

/** What is given for a part. */
const given: Field<string> = {
  decode: (parts) => toHex(parts.take(line)),
  encode: () => []
}
const twoLines = message<{ first: string; second: string }>('two lines', [
  ['first', given],
  ['second', given]
])

describe('a message of parts that a byte ends', () => {
  const bytes = hex`01 02 0a 0a ff`

  it('is given exactly the part, its ending included', () => {
    expect(decode(twoLines, bytes)).toEqual({ value: { first: '01 02 0a', second: '0a' }, length: 4 })
  })

  it('hands over as many bytes as the part may have where no ending comes: the field decides', () => {
    const { value } = decode(twoLines, hex`01 02 03 04 05 06 07 0a`)
    expect(value).toEqual({ first: '01 02 03 04', second: '05 06 07 0a' })
  })

  it.each([0, 1, 2, 3])('is truncated after %i bytes, and says where', (length) => {
    const read = () => decode(twoLines, bytes.subarray(0, length))
    expect(read).toThrow(TruncatedError)
    expect(read).toThrow(`the two lines ended after ${length} bytes, in LINE`)
  })

  it('has its parts in the dissection, as far as they are whole', () => {
    const rows = (bytes: Uint8Array) =>
      dissect(twoLines, bytes).map(({ offset, length, meaning }) => `${offset}+${length} ${meaning}`)
    expect(rows(bytes)).toEqual(['0+3 01 02 0a', '3+1 0a'])
    expect(rows(bytes.subarray(0, 3))).toEqual(['0+3 01 02 0a'])
    expect(rows(bytes.subarray(0, 2))).toEqual([])
  })
})

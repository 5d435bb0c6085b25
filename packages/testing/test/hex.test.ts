import { describe, expect, it } from 'vitest'
import { hex, toHex } from '@it-socks/testing'

describe('hex', () => {
  it('reads digits in any case, spaced anyhow', () => {
    expect(hex`05 01 00`).toEqual(Uint8Array.of(5, 1, 0))
    expect(hex`0501fF
      00	Ab`).toEqual(Uint8Array.of(5, 1, 255, 0, 171))
    expect(hex``).toEqual(Uint8Array.of())
  })

  it('takes bytes as they are and text as UTF-8, also digits', () => {
    expect(hex`01 ${Uint8Array.of(255, 0)} 02 ${'é1'} 03`).toEqual(Uint8Array.of(1, 255, 0, 2, 0xc3, 0xa9, 0x31, 3))
  })

  it('refuses what is not pairs of digits', () => {
    expect(() => hex`0`).toThrow(new SyntaxError('not pairs of hexadecimal digits: 0'))
    expect(() => hex`05 1`).toThrow(SyntaxError)
    expect(() => hex`0x05`).toThrow(SyntaxError)
    expect(() => hex`05,01`).toThrow(SyntaxError)
    expect(() => hex`5 ${'x'} 1`).toThrow(SyntaxError)
  })
})

describe('toHex', () => {
  it('is the way back', () => {
    expect(toHex(Uint8Array.of(0, 5, 255))).toBe('00 05 ff')
    expect(toHex(Uint8Array.of())).toBe('')
  })
})

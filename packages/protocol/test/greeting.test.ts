import { describe, expect, it } from 'vitest'
import { decode, greeting, methodSelection, noAcceptableMethods } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'
import { failure } from './failure.ts'

describe('greeting', () => {
  it.each([
    [hex`05 01 00`, [0]],
    [hex`05 03 00 01 02`, [0, 1, 2]],
    [hex`05 02 80 fe`, [0x80, 0xfe]],
    [hex`05 02 00 00`, [0, 0]]
  ])('is read and written: %o', (bytes, methods) => {
    expect(decode(greeting, bytes)).toEqual({ value: { methods }, length: bytes.length })
    expect(greeting.encode({ methods })).toEqual(bytes)
  })

  it('takes 255 methods', () => {
    const methods = Array.from({ length: 255 }, (_, index) => index)
    expect(decode(greeting, greeting.encode({ methods })).value).toEqual({ methods })
  })

  it('leaves what follows it alone', () => {
    expect(decode(greeting, hex`05 01 00 05 01`)).toEqual({ value: { methods: [0] }, length: 3 })
  })

  it.each([0x00, 0x01, 0x04, 0x06, 0x47, 0xff])('refuses version %i', (version) => {
    expect(() => decode(greeting, Uint8Array.of(version, 1, 0))).toThrow(failure('VersionError', 'ERR_SOCKS_VERSION'))
  })

  it('refuses zero methods, read or written', () => {
    const refused = failure('NoMethodsError', 'ERR_SOCKS_NO_METHODS')
    expect(() => decode(greeting, hex`05 00`)).toThrow(refused)
    expect(() => greeting.encode({ methods: [] })).toThrow(refused)
  })

  it('is not written with more methods than a byte counts', () => {
    const methods = Array<number>(256).fill(0)
    expect(() => greeting.encode({ methods })).toThrow(failure('TooLongError', 'ERR_SOCKS_TOO_LONG'))
  })

  it.each([-1, 256, 0.5, Number.NaN])('is not written with a method %d: it is no byte', (method) => {
    expect(() => greeting.encode({ methods: [method] })).toThrow(failure('OctetError', 'ERR_SOCKS_OCTET'))
  })
})

describe('method selection', () => {
  it.each([
    [hex`05 00`, 0],
    [hex`05 02`, 2],
    [hex`05 ff`, noAcceptableMethods]
  ])('is read and written: %o', (bytes, method) => {
    expect(decode(methodSelection, bytes)).toEqual({ value: { method }, length: 2 })
    expect(methodSelection.encode({ method })).toEqual(bytes)
  })

  it('refuses another version', () => {
    expect(() => decode(methodSelection, hex`04 00`)).toThrow(failure('VersionError', 'ERR_SOCKS_VERSION'))
  })

  it('is not written with a method that would wrap into another', () => {
    expect(() => methodSelection.encode({ method: 256 })).toThrow(failure('OctetError', 'ERR_SOCKS_OCTET'))
  })
})

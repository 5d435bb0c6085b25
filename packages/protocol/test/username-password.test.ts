import { describe, expect, it } from 'vitest'
import { credentials, credentialsStatus, decode } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'
import { failure } from './failure.ts'

const text = failure('TextError', 'ERR_SOCKS_TEXT')

describe('credentials', () => {
  it.each([
    [hex`01 05 ${'alice'} 0b ${'open sesame'}`, { username: 'alice', password: 'open sesame' }],
    [hex`01 07 ${'Zoë 🔑'.slice(0, 3)} 20 3a 00 01 ${'x'}`, { username: 'Zoë :\u0000', password: 'x' }],
    [hex`01 04 ${'🔑'} 03 ${'€'}`, { username: '🔑', password: '€' }],
    [hex`01 03 efbbbf 00`, { username: '\uFEFF', password: '' }]
  ])('are read and written: %o', (bytes, value) => {
    expect(decode(credentials, bytes)).toEqual({ value, length: bytes.length })
    expect(credentials.encode(value)).toEqual(bytes)
  })

  it('take an empty password: curl sends one', () => {
    expect(decode(credentials, hex`01 01 ${'a'} 00`).value).toEqual({ username: 'a', password: '' })
  })

  it('refuse an empty user name, read or written', () => {
    const refused = failure('EmptyNameError', 'ERR_SOCKS_EMPTY_NAME')
    expect(() => decode(credentials, hex`01 00 01 ${'x'}`)).toThrow(refused)
    expect(() => credentials.encode({ username: '', password: 'x' })).toThrow(refused)
  })

  it('have a version of their own: 1, not 5', () => {
    expect(() => decode(credentials, hex`05 01 ${'a'} 01 ${'b'}`)).toThrow(failure('VersionError', 'ERR_SOCKS_VERSION'))
  })

  it.each([
    ['user name', hex`01 02 c328 01 ${'x'}`],
    ['password', hex`01 01 ${'a'} 02 c328`]
  ])('refuse a %s that is not UTF-8', (_, bytes) => {
    expect(() => decode(credentials, bytes)).toThrow(text)
  })

  it.each([
    { username: '\uD800', password: 'x' },
    { username: 'a', password: 'x\uDC00' }
  ])('are not written with half a surrogate pair, which UTF-8 cannot hold: %o', (value) => {
    expect(() => credentials.encode(value)).toThrow(text)
  })

  it('hold 255 bytes each, counted in UTF-8', () => {
    const value = { username: `${'é'.repeat(127)}x`, password: 'p'.repeat(255) }
    expect(credentials.encode(value)).toHaveLength(1 + 1 + 255 + 1 + 255)
    expect(decode(credentials, credentials.encode(value)).value).toEqual(value)
  })

  it.each([
    { username: 'u'.repeat(256), password: 'x' },
    { username: 'é'.repeat(128), password: 'x' },
    { username: 'u', password: 'p'.repeat(256) },
    { username: 'u', password: '€'.repeat(86) }
  ])('are not written where one has more than 255 bytes', (value) => {
    expect(() => credentials.encode(value)).toThrow(failure('TooLongError', 'ERR_SOCKS_TOO_LONG'))
  })
})

describe('credentials status', () => {
  it.each([
    [hex`01 00`, 0],
    [hex`01 01`, 1],
    [hex`01 ff`, 255]
  ])('is read and written: %o', (bytes, status) => {
    expect(decode(credentialsStatus, bytes)).toEqual({ value: { status }, length: 2 })
    expect(credentialsStatus.encode({ status })).toEqual(bytes)
  })

  it('has a version of its own: 1, not 5', () => {
    expect(() => decode(credentialsStatus, hex`05 00`)).toThrow(failure('VersionError', 'ERR_SOCKS_VERSION'))
  })

  it('is not written with a failure that would wrap into success', () => {
    expect(() => credentialsStatus.encode({ status: 256 })).toThrow(failure('OctetError', 'ERR_SOCKS_OCTET'))
  })
})

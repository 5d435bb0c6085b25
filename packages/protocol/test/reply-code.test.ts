import { describe, expect, it } from 'vitest'
import { refusal, RefusedError, replyCode, replyName, type ReplyName } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'

/** RFC 1928 section 6, REP. */
const replies: ReadonlyArray<readonly [number, ReplyName]> = [
  [0x00, 'succeeded'],
  [0x01, 'general-failure'],
  [0x02, 'not-allowed'],
  [0x03, 'network-unreachable'],
  [0x04, 'host-unreachable'],
  [0x05, 'connection-refused'],
  [0x06, 'ttl-expired'],
  [0x07, 'command-not-supported'],
  [0x08, 'address-type-not-supported']
]

describe('reply codes', () => {
  it.each(replies)('%i is %s', (code, name) => {
    expect(replyCode(name)).toBe(code)
    expect(replyName(code)).toBe(name)
  })

  it('leaves 9 to 255 without a name', () => {
    expect(Array.from({ length: 247 }, (_, index) => replyName(9 + index))).toEqual(Array(247).fill(undefined))
  })
})

describe('refusal', () => {
  it('carries the reply of the error and no address', () => {
    expect(refusal(new RefusedError('connection-refused'))).toEqual(hex`05 05 00 01 00000000 0000`)
  })

  it.each([new Error('disk full'), 'a string', undefined])('is a general failure for %o', (error) => {
    expect(refusal(error)).toEqual(hex`05 01 00 01 00000000 0000`)
  })
})

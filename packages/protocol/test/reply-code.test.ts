import { describe, expect, it } from 'vitest'
import { refusal, RefusedError, replyCode, replyName, type ReplyName } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'

/** RFC 1928 section 6, REP, and Tor's proposal 304. */
const replies: ReadonlyArray<readonly [number, ReplyName]> = [
  [0x00, 'succeeded'],
  [0x01, 'general-failure'],
  [0x02, 'not-allowed'],
  [0x03, 'network-unreachable'],
  [0x04, 'host-unreachable'],
  [0x05, 'connection-refused'],
  [0x06, 'ttl-expired'],
  [0x07, 'command-not-supported'],
  [0x08, 'address-type-not-supported'],
  [0xf0, 'onion-descriptor-not-found'],
  [0xf1, 'onion-descriptor-invalid'],
  [0xf2, 'onion-introduction-failed'],
  [0xf3, 'onion-rendezvous-failed'],
  [0xf4, 'onion-client-authorization-missing'],
  [0xf5, 'onion-client-authorization-wrong'],
  [0xf6, 'onion-address-invalid'],
  [0xf7, 'onion-introduction-timed-out']
]

describe('reply codes', () => {
  it.each(replies)('%i is %s', (code, name) => {
    expect(replyCode(name)).toBe(code)
    expect(replyName(code)).toBe(name)
  })

  it('leaves 0x09 to 0xEF and 0xF8 to 0xFF without a name', () => {
    const codes = Array.from({ length: 256 }, (_, code) => code)
    const assigned = new Set(replies.map(([code]) => code))
    expect(codes.filter((code) => replyName(code) !== undefined)).toEqual([...assigned])
  })
})

describe('refusal', () => {
  it('carries the reply of the error and no address', () => {
    expect(refusal(new RefusedError('connection-refused'))).toEqual(hex`05 05 00 01 00000000 0000`)
    expect(refusal(new RefusedError('onion-address-invalid'))).toEqual(hex`05 f6 00 01 00000000 0000`)
  })

  it.each([new Error('disk full'), 'a string', undefined])('is a general failure for %o', (error) => {
    expect(refusal(error)).toEqual(hex`05 01 00 01 00000000 0000`)
  })
})

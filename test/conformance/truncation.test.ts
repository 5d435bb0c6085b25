import { usernamePassword, users } from '@it-socks/auth'
import type { ServerOptions } from '@it-socks/server'
import { hex } from '@it-socks/testing'
import { describe } from 'vitest'
import { conformance, wholeOrInBytes, type Case } from './table.ts'

const withPassword = usernamePassword({ verify: users({ alice: 'open sesame' }) })
const a255 = 'a'.repeat(255)

/** A message that ends after each of its bytes but the last; a long one after each of the first 16 and the last 16. */
const truncated = (before: Uint8Array, whole: Uint8Array, hears: Uint8Array): Case[] =>
  [...whole.keys()]
    .filter((length) => length < 16 || length >= whole.length - 16)
    .map((length) => ({
      name: `after ${length} of ${whole.length} bytes`,
      says: hex`${before} ${whole.subarray(0, length)}`,
      leaves: true,
      hears,
      fails: 'ERR_SOCKS_TRUNCATED'
    }))

const endsEarly = (options: ServerOptions, cases: readonly Case[]): void => conformance(options, cases, wholeOrInBytes)

const none = hex`05 01 00`
const password = hex`05 01 02`
const refused = hex`05 00 05 01 00 01 00000000 0000`
const denied = hex`05 02 01 01`

describe('a greeting that ends early is not answered', () => {
  endsEarly({}, truncated(hex``, hex`05 03 000102`, hex``))
})

describe('credentials that end early are wrong ones', () => {
  endsEarly({ methods: [withPassword] }, truncated(password, hex`01 05 ${'alice'} 0b ${'open sesame'}`, denied))
})

describe('credentials of the greatest length that end early are wrong ones', () => {
  endsEarly({ methods: [withPassword] }, truncated(password, hex`01 ff ${a255} ff ${a255}`, denied))
})

describe('a request to an IPv4 address that ends early is refused', () => {
  endsEarly({}, truncated(none, hex`05 01 00 01 c0000201 0050`, refused))
})

describe('a request to an IPv6 address that ends early is refused', () => {
  endsEarly({}, truncated(none, hex`05 01 00 04 20010db8000000000000000000000001 0050`, refused))
})

describe('a request to a domain that ends early is refused', () => {
  endsEarly({}, truncated(none, hex`05 01 00 03 0b ${'example.com'} 0050`, refused))
})

describe('a request to a domain of the greatest length that ends early is refused', () => {
  endsEarly({}, truncated(none, hex`05 01 00 03 ff ${a255} 0050`, refused))
})

import type { Verify } from './username-password.ts'

const encoder = new TextEncoder()
const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))

/** Compares arrays of one length in a time that does not tell where they differ. */
const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.reduce((difference, byte, index) => difference | (byte ^ b[index]!), 0) === 0

/**
 * A `verify` for a fixed table of users and their passwords. It takes as long for a user who does not exist as for one
 * who does, and as long for a wrong password as for a right one.
 *
 * @example
 *
 * ```ts
 * import { users } from '@it-socks/auth'
 *
 * const verify = users({ alice: 'open sesame' })
 * await verify({ username: 'alice', password: 'open sesame' }, { signal: AbortSignal.timeout(1000) }) // => true
 * await verify({ username: 'bob', password: 'open sesame' }, { signal: AbortSignal.timeout(1000) }) // => false
 * ```
 */
export const users = (table: Readonly<Record<string, string>>): Verify => {
  const digests = new Map(Object.entries(table).map(([username, password]) => [username, digest(password)]))
  const nobody = digest('')
  return async ({ username, password }) => {
    const known = digests.get(username)
    const same = equal(await digest(password), await (known ?? nobody))
    return known !== undefined && same
  }
}

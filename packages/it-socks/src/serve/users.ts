import { users as plainUsers, type Verify } from '@it-socks/auth'
import { UsageError } from '../failure.ts'
import { bcryptCompare, costOf, withCost, type Compare } from './bcrypt.ts'
import { readText } from './read-text.ts'

/** Somebody who may use the proxy. */
export interface User {
  readonly name: string
  /** A bcrypt hash, or the password itself. */
  readonly secret: { readonly hash: string } | { readonly password: string }
}

const longest = 255
/** Takes some three seconds to compare; each further one twice as long, for everybody who waits behind it. */
const highestCost = 15
/** How `htpasswd` and `crypt(3)` mark what is a hash. */
const anyHash = /^(?:\$[A-Za-z0-9-]+\$|\{[A-Za-z0-9]+\})/

/**
 * Reads `name:password` or `name:$2y$…`, a bcrypt hash as `htpasswd -B` writes it.
 *
 * @throws {UsageError} whose message has no part of the text
 */
export const parseUser = (text: string): User => {
  const colon = text.indexOf(':')
  const name = text.slice(0, colon)
  const secret = text.slice(colon + 1)
  if (colon < 1 || secret === '') throw new UsageError('takes name:password')
  // Whether they are meant cannot be seen, and a login that fails would not tell of them.
  if (name !== name.trim() || secret !== secret.trim()) {
    throw new UsageError('takes name:password without spaces around either (a hash hides those of a password)')
  }
  for (const [what, value] of [
    ['name', name],
    ['password', secret]
  ] as const) {
    if (Buffer.byteLength(value) > longest) throw new UsageError(`takes a ${what} of at most ${longest} bytes`)
  }
  const cost = costOf(secret)
  if (cost !== undefined && cost > highestCost) {
    throw new UsageError(`takes bcrypt hashes of a cost of at most ${highestCost}, not ${cost}`)
  }
  if (cost !== undefined) return { name, secret: { hash: secret } }
  if (anyHash.test(secret))
    throw new UsageError('takes passwords as they are or as bcrypt hashes (htpasswd -B), no others')
  return { name, secret: { password: secret } }
}

/** A SOCKS4 user id: bytes up to a NUL. @throws {UsageError} */
export const parseUserId = (text: string): string => {
  if (text === '' || Buffer.byteLength(text) > longest) throw new UsageError(`takes an id of 1 to ${longest} bytes`)
  return text
}

/**
 * Reads a file of users, one a line; empty lines and lines that start with `#` are skipped.
 *
 * @throws {UsageError} with the number of the line, where one is wrong, or where the file cannot be read or is empty
 */
export const readUsers = async (path: string): Promise<User[]> => {
  const lines = (await readText('--users', path)).split(/\r?\n/)
  const users = lines.flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return []
    try {
      return [parseUser(line)]
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      throw new UsageError(`--users ${error.message}: ${path}, line ${index + 1}`, { cause: error })
    }
  })
  if (users.length === 0) throw new UsageError(`--users names a file without users: ${path}`)
  return users
}

/** @throws {UsageError} where two users have one name */
export const checkNames = (users: readonly User[]): void => {
  const names = new Set<string>()
  for (const { name } of users) {
    if (names.has(name)) throw new UsageError(`two users are called ${JSON.stringify(name)} (--user, --users)`)
    names.add(name)
  }
}

/** How many logins may wait for their comparison with a hash; more are refused. */
const waiting = 100

/** A `verify` for these users; how long it takes does not tell whether there is a user of that name. */
export const verifyUsers = (users: readonly User[], compare: Compare = bcryptCompare({ waiting })): Verify => {
  const hashes = new Map(users.flatMap(({ name, secret }) => ('hash' in secret ? [[name, secret.hash]] : [])))
  const passwords = users.flatMap(({ name, secret }) => ('password' in secret ? [[name, secret.password]] : []))
  const verifyPlain = plainUsers(Object.fromEntries(passwords))
  if (hashes.size === 0) return verifyPlain
  const comparisons = evenComparisons([...hashes.values()])
  return async (credentials, options) => {
    const hash = hashes.get(credentials.username)
    const plain = await verifyPlain(credentials, options)
    const hashed = await compare(credentials.password, comparisons(hash), options)
    return plain || (hash !== undefined && hashed)
  }
}

/**
 * With which hashes to compare a password, so that it takes as long for every user as for nobody: that of the user
 * first, then others that make up for a lower cost. Each cost takes twice as long as the one below: 2^5 is 2^3 + 2^3 +
 * 2^4.
 */
const evenComparisons = (hashes: readonly string[]): ((own: string | undefined) => string[]) => {
  const decoy = hashes.reduce((highest, hash) => (costOf(hash)! > costOf(highest)! ? hash : highest))
  return (own) => {
    if (own === undefined) return [decoy]
    const cost = costOf(own)!
    return [own, ...Array.from({ length: costOf(decoy)! - cost }, (_, index) => withCost(decoy, cost + index))]
  }
}

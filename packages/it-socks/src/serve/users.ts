import { readFile } from 'node:fs/promises'
import { users as plainUsers, type Verify } from '@it-socks/auth'
import { compare } from 'bcryptjs'
import { UsageError } from '../failure.ts'

/** Somebody who may use the proxy. */
export interface User {
  readonly name: string
  /** A bcrypt hash, or the password itself. */
  readonly secret: { readonly hash: string } | { readonly password: string }
}

const longest = 255
const bcrypt = /^\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/
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
  for (const [what, value] of [
    ['name', name],
    ['password', secret]
  ] as const) {
    if (Buffer.byteLength(value) > longest) throw new UsageError(`takes a ${what} of at most ${longest} bytes`)
  }
  if (bcrypt.test(secret)) return { name, secret: { hash: secret } }
  if (anyHash.test(secret))
    throw new UsageError('takes passwords as they are or as bcrypt hashes (htpasswd -B), no others')
  return { name, secret: { password: secret } }
}

/**
 * Reads a file of users, one a line; empty lines and lines that start with `#` are skipped.
 *
 * @throws {UsageError} with the number of the line, where one is wrong, or where the file cannot be read or is empty
 */
export const readUsers = async (path: string): Promise<User[]> => {
  const lines = (await read(path)).split(/\r?\n/)
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

const read = async (path: string): Promise<string> => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch (cause) {
    const reason = cause instanceof TypeError ? 'it is not UTF-8' : (cause as NodeJS.ErrnoException).code
    throw new UsageError(`--users names a file that cannot be read: ${path}: ${reason}`, { cause })
  }
}

/** @throws {UsageError} where two users have one name */
export const checkNames = (users: readonly User[]): void => {
  const names = new Set<string>()
  for (const { name } of users) {
    if (names.has(name)) throw new UsageError(`two users are called ${JSON.stringify(name)} (--user, --users)`)
    names.add(name)
  }
}

/** A `verify` for these users; how long it takes does not tell whether there is a user of that name. */
export const verifyUsers = (users: readonly User[]): Verify => {
  const hashes = new Map(users.flatMap(({ name, secret }) => ('hash' in secret ? [[name, secret.hash]] : [])))
  const passwords = users.flatMap(({ name, secret }) => ('password' in secret ? [[name, secret.password]] : []))
  const verifyPlain = plainUsers(Object.fromEntries(passwords))
  const [decoy] = hashes.values()
  return async (credentials, options) => {
    const hash = hashes.get(credentials.username)
    const plain = await verifyPlain(credentials, options)
    const hashed = decoy !== undefined && (await compare(credentials.password, hash ?? decoy))
    return plain || (hash !== undefined && hashed)
  }
}

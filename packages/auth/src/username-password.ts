import { AuthenticationError, credentials, credentialsStatus, type Credentials } from '@it-socks/protocol'
import { readAnswer } from '@it-socks/stage'
import type { ClientMethod, ServerMethod } from './method.ts'

/** The identity of a client that gave a user name and a password. */
export interface User {
  readonly method: 'username/password'
  readonly username: string
}

/** Whether these are the credentials of a user. Compare in constant time: {@link users} does. */
export type Verify = (credentials: Credentials, options: { signal: AbortSignal }) => boolean | Promise<boolean>

const method = { id: 0x02, name: 'username/password' } as const
const success = credentialsStatus.encode({ status: 0 })
const failure = credentialsStatus.encode({ status: 1 })

/**
 * Method 0x02, username and password (RFC 1929): a server gives `verify`, a client gives its credentials. They travel
 * in the clear.
 *
 * @throws {TooLongError} at once, for credentials of more than 255 bytes of UTF-8; an `EmptyNameError` for no name
 *
 * The server throws an `AuthenticationError` for wrong credentials, with `cause` where `verify` itself threw; the client
 * throws one where the proxy says no.
 *
 * @example
 *
 * ```ts
 * import { authenticate, login, usernamePassword, users } from '@it-socks/auth'
 *
 * const server = authenticate([usernamePassword({ verify: users({ alice: 'open sesame' }) })])
 * const client = login([usernamePassword({ username: 'alice', password: 'open sesame' })])
 * ```
 */
export function usernamePassword(options: { verify: Verify }): ServerMethod<User>
export function usernamePassword(options: Credentials): ClientMethod
export function usernamePassword(options: { verify: Verify } | Credentials): ServerMethod<User> | ClientMethod {
  return 'verify' in options ? server(options.verify) : client(options)
}

const server = (verify: Verify): ServerMethod<User> => ({
  ...method,
  async *server({ frames, signal }) {
    let username: string
    try {
      const given = await frames.read(credentials)
      username = given.username
      if (!(await verified(verify, given, signal)))
        throw new AuthenticationError(`wrong credentials for ${JSON.stringify(username)}`)
    } catch (error) {
      yield failure
      throw error
    }
    yield success
    return { identity: { method: method.name, username } }
  }
})

const verified = async (verify: Verify, given: Credentials, signal: AbortSignal): Promise<boolean> => {
  try {
    return await verify(given, { signal })
  } catch (cause) {
    throw new AuthenticationError(`the credentials of ${JSON.stringify(given.username)} could not be verified`, {
      cause
    })
  }
}

const client = (own: Credentials): ClientMethod => {
  // Before the greeting: what cannot be sent is no reason to open a conversation.
  const encoded = credentials.encode(own)
  return {
    ...method,
    async *client({ frames }) {
      yield encoded
      const { status } = await readAnswer(frames, credentialsStatus)
      if (status !== 0)
        throw new AuthenticationError(`the proxy refused the credentials of ${JSON.stringify(own.username)}`)
      return {}
    }
  }
}

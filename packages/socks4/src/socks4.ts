import {
  AuthenticationError,
  addressType,
  canonicalHost,
  refusal4,
  reply4,
  reply4Codes,
  request4,
  unspecified,
  type Address
} from '@it-socks/protocol'
import { compose, stage, type Authenticated, type Identity, type Requested, type Stage } from '@it-socks/stage'

/** Who a SOCKS4 client says it is. Nothing proves it. */
export interface Socks4User extends Identity {
  readonly method: 'socks4'
  /** USERID, where it is not empty. */
  readonly username?: string
}

export interface Socks4Options {
  /** Whether a client of this user id, '' where it says none, may use the proxy. Default: everybody may. */
  admit?: (userId: string, options: { signal: AbortSignal }) => boolean | Promise<boolean>
}

/**
 * The server's SOCKS4 and SOCKS4a: reads the request, and judges the user id. It stands in the place of both
 * `authenticate` and `request`: first after `frames`, or behind `detect`. From here on the pipeline refuses with SOCKS4
 * replies: 0x5D for an `AuthenticationError`, 0x5B for everything else.
 *
 * A reply has room for IPv4 alone. An address of another kind is told as 0.0.0.0, and the client takes the proxy's own.
 *
 * The stage throws a `MalformedError` for a request that is none (nothing is said where not even its version is right),
 * an `AuthenticationError` where `admit` says no, and whatever `admit` throws.
 *
 * @example
 *
 * ```ts
 * import { command, connect } from '@it-socks/command'
 * import { dial } from '@it-socks/net'
 * import { socks4 } from '@it-socks/socks4'
 * import { compose } from '@it-socks/stage'
 *
 * const stage = compose(socks4({ admit: (userId) => userId === 'alice' }), command({ connect: connect(dial()) }))
 * ```
 */
export const socks4 = ({ admit = () => true }: Socks4Options = {}): Stage<
  unknown,
  Authenticated<Socks4User> & Requested
> => {
  const identify = stage<unknown, Authenticated<Socks4User> & Requested>(async ({ frames, signal }) => {
    const { userId, ...request } = await frames.read(request4)
    if (!(await admit(userId, { signal }))) throw new AuthenticationError('the user id is not admitted')
    return { identity: { method: 'socks4', ...(userId !== '' && { username: userId }) }, request, grant }
  })
  return compose(recognize, identify)
}

/** Once the first byte is SOCKS4's there is a way to say no: to what comes behind it, and where it takes too long. */
const recognize = stage<unknown, {}>(async ({ frames }) => {
  const [version] = await frames.peek(1)
  return version === 4 ? { refuse: refusal4 } : {}
})

const grant = (bound: Address): Uint8Array => reply4.encode({ cd: reply4Codes.granted, bound: inIpv4(bound) })

const inIpv4 = ({ host, port }: Address): Address => ({
  host: addressType(canonicalHost(host)) === 'ipv4' ? host : unspecified.host,
  port
})

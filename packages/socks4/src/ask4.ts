import { InvalidAddressError, addressType, canonicalHost, request4, type Request4 } from '@it-socks/protocol'
import { stage, type Granted, type Stage } from '@it-socks/stage'
import { readGranted4 } from './read-granted4.ts'

export interface Ask4Options {
  /** USERID: up to 255 bytes of UTF-8. Default: ''. */
  userId?: string
  /**
   * `4` for a proxy that knows IPv4 addresses only; SOCKS4a has domains, and by these IPv6 addresses, too. Default: `4a`.
   */
  version?: '4' | '4a'
}

/**
 * The client's SOCKS4 request, the mirror of `socks4` and `command`. It stands in the place of both `login` and `ask`:
 * first after `frames`. What is `bound` is of use for BIND alone: the address that the peer may connect to (see
 * `accepted4`), where `0.0.0.0` stands for the proxy's own.
 *
 * @throws {SocksError} at once, for what cannot be sent: a `TooLongError` for a user id or a domain of over 255 bytes, a
 * `TextError` for one with a NUL, an `InvalidAddressError` for all but IPv4 where `version` is `4` …
 *
 * The stage throws a `RefusedError` (a general failure: SOCKS4 has one reply for all that can go wrong), an
 * `AuthenticationError` where the proxy refuses the user id, an `UnassignedReplyError` for a reply that has no name, a
 * `ProxyClosedError` where the proxy closed instead of answering.
 *
 * @example
 *
 * ```ts
 * import { ask4 } from '@it-socks/socks4'
 *
 * const stage = ask4({ command: 'connect', destination: { host: 'example.com', port: 443 } }, { userId: 'alice' })
 * ```
 */
export const ask4 = (
  { command, destination }: Omit<Request4, 'userId'>,
  { userId = '', version = '4a' }: Ask4Options = {}
): Stage<unknown, Granted> => {
  const { host } = destination
  if (version === '4' && addressType(canonicalHost(host)) !== 'ipv4') {
    throw new InvalidAddressError(`${host} is not an IPv4 address, and SOCKS4 knows no other: SOCKS4a does`)
  }
  const encoded = request4.encode({ command, destination, userId })
  return stage<unknown, Granted>(async function* ({ frames }) {
    yield encoded
    return readGranted4(frames)
  })
}

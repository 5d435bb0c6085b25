import { request as message, type Request } from '@it-socks/protocol'
import { stage, type Granted, type LoggedIn, type Stage } from '@it-socks/stage'
import { readGranted } from './read-granted.ts'

/**
 * The client's request, the mirror of `request` and `command` (RFC 1928 sections 4 and 6). Comes after `login`. What is
 * `bound` depends on the command: for CONNECT the address from which the proxy reached the destination, for BIND the one
 * that the peer may connect to (see `accepted`), for UDP ASSOCIATE the one that datagrams go to, for Tor's RESOLVE and
 * RESOLVE_PTR the answer, as its host.
 *
 * @throws {SocksError} at once, for a destination that cannot be sent: a `TooLongError` for a domain of over 255 bytes …
 *
 * The stage throws a `RefusedError` whose `reply` says what the proxy answered (its `cause` tells where the rest of that
 * answer was malformed), an `UnassignedReplyError` for a REP that has no name, a `ProxyClosedError` where the proxy
 * closed instead of answering.
 *
 * @example
 *
 * ```ts
 * import { ask } from '@it-socks/command'
 *
 * const stage = ask({ command: 'connect', destination: { host: 'example.com', port: 443 } })
 * ```
 */
export const ask = (request: Request): Stage<LoggedIn, Granted> => {
  const encoded = message.encode(request)
  return stage<LoggedIn, Granted>(async function* ({ frames }) {
    yield encoded
    return readGranted(frames)
  })
}

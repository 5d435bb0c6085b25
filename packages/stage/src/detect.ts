import { TruncatedError, VersionError } from '@it-socks/protocol'
import { choose } from './choose.ts'
import type { Stage } from './stage.ts'

/**
 * Several protocols on one port: looks at the first byte, consumes nothing, and goes on with the stage of that protocol.
 * Comes first after `frames`. A client of none of them is told nothing: nobody knows what it speaks.
 *
 * @param protocols by the first byte: 5 for SOCKS5, 4 for SOCKS4, 0x43 (`C`) for HTTP's CONNECT …
 *
 * The stage throws a `VersionError` for any other first byte, and a `TruncatedError` where none comes.
 *
 * @example
 *
 * ```ts
 * import { authenticate, none } from '@it-socks/auth'
 * import { request } from '@it-socks/command'
 * import { compose, detect } from '@it-socks/stage'
 *
 * const stage = detect({ 5: compose(authenticate([none()]), request()) })
 * ```
 */
export const detect = <Needs, Adds extends Readonly<Record<number, unknown>>>(protocols: {
  readonly [First in keyof Adds]: Stage<Needs, Adds[First]>
}): Stage<Needs, Adds[keyof Adds]> => {
  const known = Object.keys(protocols).map(Number)
  const protocolOf = ([first]: Uint8Array): Stage<Needs, Adds[keyof Adds]> => {
    if (first === undefined) throw new TruncatedError('first message', 'VER', 0)
    const protocol = protocols[first]
    if (protocol === undefined) throw new VersionError(known, first)
    return protocol
  }
  return choose(({ frames }) => frames.peek(1).then(protocolOf))
}

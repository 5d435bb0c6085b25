import { addressType, unspecified } from '@it-socks/protocol'
import { stage, type Authorized, type Binder, type Connected, type Resolve, type Tunnel } from '@it-socks/stage'
import type { Tunnelled } from '@it-socks/stage'
import type { Commanded, CommandHandler } from './command.ts'
import { expectPeer, unresolving } from './expected-peer.ts'
import { firstPeer } from './first-peer.ts'
import { handOver } from './hand-over.ts'
import { publicAddress, type PublicHost } from './public-host.ts'

export interface BindOptions extends PublicHost {
  /** Finds the addresses of a peer that the client names by a domain. Default: none is found, and such a BIND is refused. */
  resolve?: Resolve
}

/**
 * BIND (RFC 1928 sections 4 and 6): listens for one connection, tells the client where, and tells it again who connected.
 * Comes with `frames({ context: { connection } })`.
 *
 * DST.ADDR says who is expected: an IP address, all addresses of a domain, or with `0.0.0.0` or `::` anybody. DST.PORT
 * does not count. Whoever else connects, or is not permitted by rules, is reset, and the waiting goes on. It goes on
 * until the peer comes, the client leaves (a half-close is leaving) or the signal aborts; put a `deadline` around it.
 * Whatever comes of it, nothing listens any more.
 *
 * The stage throws what the `binder` or `resolve` throws, an `UnresolvableError`, what `permit` throws where no address
 * that is expected is permitted, a `ClosedError` where the client leaves.
 *
 * @throws {ConfigurationError} at once, for a `publicHost` that is no IP address
 *
 * @example
 *
 * ```ts
 * import { bind, command } from '@it-socks/command'
 * import { deadline } from '@it-socks/stage'
 * import { memoryBinder } from '@it-socks/testing'
 *
 * const { binder } = memoryBinder()
 * const stage = command({ bind: deadline('waiting for a connection', 60_000, bind(binder)) })
 * ```
 */
export const bind = (
  binder: Binder,
  { resolve = unresolving, ...reachable }: BindOptions = {}
): CommandHandler<Commanded & Connected & Partial<Authorized>> => {
  const told = publicAddress(reachable)
  return stage<Commanded & Connected & Partial<Authorized>, Tunnelled>(async function* ({ frames, context, signal }) {
    const near = context.connection.localAddress?.host
    const { ips, isExpected } = await expectPeer(context, resolve, signal)
    const peer = near === undefined ? ips[0] : (ips.find((ip) => addressType(ip) === addressType(near)) ?? ips[0])
    const binding = await binder({ signal, ...(near !== undefined && { near }), ...(peer !== undefined && { peer }) })
    let tunnel: Tunnel
    try {
      yield context.grant(told(binding.address))
      tunnel = await firstPeer(binding.connections, isExpected, { client: frames, signal })
    } finally {
      binding.close()
    }
    return handOver(context, tunnel, tunnel.remoteAddress ?? unspecified)
  })
}

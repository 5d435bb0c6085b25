import { RefusedError, UnresolvableError, formatAddress, type RefusalName } from '@it-socks/protocol'
import type { ServerOptions } from '@it-socks/server'
import { duplexPair } from '@it-socks/testing'

/** REP for each way to be refused (RFC 1928 section 6, and Tor's proposal 304), as the wire has it. */
export const refusals: ReadonlyMap<string, number> = new Map([
  ['general-failure', 0x01],
  ['not-allowed', 0x02],
  ['network-unreachable', 0x03],
  ['host-unreachable', 0x04],
  ['connection-refused', 0x05],
  ['ttl-expired', 0x06],
  ['onion-descriptor-not-found', 0xf0],
  ['onion-descriptor-invalid', 0xf1],
  ['onion-introduction-failed', 0xf2],
  ['onion-rendezvous-failed', 0xf3],
  ['onion-client-authorization-missing', 0xf4],
  ['onion-client-authorization-wrong', 0xf5],
  ['onion-address-invalid', 0xf6],
  ['onion-introduction-timed-out', 0xf7]
])

/** What lies behind a server, in memory. */
export interface Outside {
  /** What the server did there, in order. */
  readonly did: string[]
  readonly options: Pick<ServerOptions, 'dial'>
}

/** Our end of every connection to a target. */
const local = { host: '192.0.2.9', port: 1234 }

/**
 * A world where every target sends back what it is sent, and then closes. But a host that is called after a reply, as
 * `connection-refused.example`, refuses with that, `unresolvable.example` has no address, and `broken.example` fails
 * without a reason.
 */
export const makeOutside = (): Outside => {
  const did: string[] = []
  return {
    did,
    options: {
      async dial(destination) {
        did.push(`dial ${formatAddress(destination)}`)
        const name = destination.host.replace(/\.example$/, '')
        if (refusals.has(name)) throw new RefusedError(name as RefusalName)
        if (name === 'unresolvable') throw new UnresolvableError(destination.host)
        if (name === 'broken') throw new Error('it broke')
        const [near, far] = duplexPair({ addresses: [local, destination] })
        far.sink(far.source).catch(() => {})
        return near
      }
    }
  }
}

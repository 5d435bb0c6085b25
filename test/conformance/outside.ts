import { tableResolve } from '@it-socks/net'
import { RefusedError, UnresolvableError, formatAddress, type RefusalName } from '@it-socks/protocol'
import type { ServerOptions } from '@it-socks/server'
import { duplexPair, memoryBinder, memoryDatagrams } from '@it-socks/testing'
import type { MemoryBinder, MemoryDatagrams } from '@it-socks/testing'

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
  readonly options: Pick<ServerOptions, 'dial' | 'binder' | 'datagramBinder' | 'resolve' | 'reverseResolve'>
  /** Connects as a peer to where the server listens, now or soon. */
  readonly connect: MemoryBinder['connect']
  readonly network: MemoryDatagrams
  /** How many sockets of the server's are open. */
  readonly open: () => number
}

/** Our end of every connection to a target, and where we listen for peers. */
const local = { host: '192.0.2.9', port: 1234 }

const addresses: Readonly<Record<string, readonly string[]>> = {
  'one.example': ['192.0.2.1'],
  'two.example': ['192.0.2.1', '192.0.2.2'],
  'six.example': ['2001:db8::1']
}
const names: Readonly<Record<string, string>> = { '192.0.2.1': 'one.example', '2001:db8::1': 'six.example' }

/**
 * A world where every target sends back what it is sent, and then closes. But a host that is called after a reply, as
 * `connection-refused.example`, refuses with that, `unresolvable.example` has no address, and `broken.example` fails
 * without a reason.
 */
export const makeOutside = (): Outside => {
  const did: string[] = []
  const { binder, connect, listening } = memoryBinder({ address: local })
  const network = memoryDatagrams()
  return {
    did,
    connect,
    network,
    open: () => listening() + network.open().length,
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
      },
      binder(options) {
        did.push(`listen for ${options?.peer ?? 'anybody'}`)
        return binder(options)
      },
      datagramBinder(options) {
        did.push(`open a UDP socket on ${options.host}`)
        return network.binder(options)
      },
      resolve: tableResolve(addresses),
      async reverseResolve(ip) {
        const name = names[ip]
        if (name === undefined) throw new UnresolvableError(ip)
        return name
      }
    }
  }
}

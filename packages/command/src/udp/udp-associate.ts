import { canonicalHost } from '@it-socks/protocol'
import {
  stage,
  type Authorized,
  type Connected,
  type DatagramBinder,
  type Resolve,
  type Tunnelled
} from '@it-socks/stage'
import type { Commanded, CommandHandler } from '../command.ts'
import { handOver } from '../hand-over.ts'
import { publicAddress, type PublicHost } from '../public-host.ts'
import { openAssociation, type AssociationLimits } from './association.ts'
import { reassemble } from './reassembly.ts'
import { relaySockets, type RelaySockets } from './relay-sockets.ts'

export interface UdpAssociateOptions extends PublicHost, AssociationLimits {
  /** Finds the addresses of targets that the client names by a domain. */
  resolve: Resolve
  /** Knows the relay sockets of all servers here that clients could confuse. Default: this one's. */
  relays?: RelaySockets
}

const loopback = '127.0.0.1'

/**
 * UDP ASSOCIATE (RFC 1928 sections 4, 6 and 7): opens a UDP socket at the address where the client reached us, tells the
 * client, and relays its datagrams for as long as the connection lasts. Comes with `frames({ context: { connection } })`.
 * Where the transport has no addresses, the client is taken to be on 127.0.0.1, and so is the socket.
 *
 * Datagrams that come from the client's IP address and port are the client's. Its port is DST.PORT of the request, or where
 * that is 0 the one that sends the first datagram with a proper header. DST.ADDR does not count: clients send there what
 * they like. Everything else that comes is some peer's, and the client gets it with the peer's address in front, whether
 * it had sent there or not: anybody may answer (a full cone, as for NAT), a host with the client's own IP address too,
 * from another port. Rules, where `authorize` is in the pipeline, are asked about every datagram, both ways.
 *
 * A target may be an IPv4 address, an IPv6 address or a domain. Names are resolved once an association, and the first
 * address that is permitted is the one. Fragments are put together. What is malformed, not allowed or too much is dropped
 * and counted by its `DropReason`, and never answered: `tunnel.datagrams` tells how many of each.
 *
 * The association ends with the client's connection: `relay` sees to that, and its `idle` covers the datagrams, too.
 *
 * The stage throws what the `binder` throws.
 *
 * @throws {ConfigurationError} at once, for a `publicHost` that is no IP address or a `reassemblyTimeout` below 5,000
 *
 * @example
 *
 * ```ts
 * import { command, udpAssociate } from '@it-socks/command'
 * import { memoryDatagrams } from '@it-socks/testing'
 *
 * const { binder } = memoryDatagrams()
 * const stage = command({ udpAssociate: udpAssociate(binder, { resolve: async () => ['192.0.2.1'] }) })
 * ```
 */
export const udpAssociate = (
  binder: DatagramBinder,
  { resolve, publicHost, relays = relaySockets(), ...limits }: UdpAssociateOptions
): CommandHandler<Commanded & Connected & Partial<Authorized>> => {
  const told = publicAddress(publicHost === undefined ? {} : { publicHost })
  reassemble(() => {}, limits)
  return stage<Commanded & Connected & Partial<Authorized>, Tunnelled>(async ({ context, signal }) => {
    const { connection, permit, request } = context
    const association = await openAssociation({
      binder,
      resolve,
      limits,
      host: canonicalHost(connection.localAddress?.host ?? loopback),
      client: { host: canonicalHost(connection.remoteAddress?.host ?? loopback), port: request.destination.port },
      permit,
      relays,
      signal
    })
    return handOver(context, association, told(association.localAddress))
  })
}

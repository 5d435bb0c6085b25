import type { Address } from '@it-socks/protocol'
import type { DatagramSocket, Permit } from '@it-socks/stage'
import { isPermitted } from '../is-permitted.ts'
import type { Drops } from './drops.ts'
import type { Peers } from './peers.ts'
import { capacityOf } from './reach.ts'

export interface ToClientOptions {
  /** Where the client is; nobody knows its port before it is `undefined` no more. */
  client: () => Address | undefined
  /** The socket that the client knows. */
  relay: DatagramSocket
  peers: Peers
  permit: Permit | undefined
  drop: Drops['drop']
  /** Told of the bytes of data of each that was sent. */
  sent: (bytes: number) => void
}

/** Passes what peers say to the client, behind a header that tells who said it. */
export const toClient =
  ({ client, relay, peers, permit, drop, sent }: ToClientOptions) =>
  (data: Uint8Array, from: Address): void => {
    const to = client()
    if (to === undefined) return drop('stranger')
    // A rule for a domain is one for the answers of its host, too.
    if (permit !== undefined && !isPermitted(permit, from, peers.nameOf(from.host))) return drop('not-allowed')
    const header = peers.headerOf(from)
    if (header.length + data.length > capacityOf(to.host)) return drop('too-large')
    relay.send([header, data], to)
    sent(data.length)
  }

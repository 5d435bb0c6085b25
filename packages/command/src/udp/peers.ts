import { datagramHeader, type Address } from '@it-socks/protocol'
import { recent } from './recent.ts'

/** What is remembered of a peer. */
interface Peer {
  header?: Uint8Array
  name?: string
}

/** The peers of an association: the targets of the client, and whoever answers it. */
export interface Peers {
  /** Remembers what name a peer was reached by. */
  named(address: Address, name: string): void
  /** The name that a peer was last reached by. */
  nameOf(address: Address): string | undefined
  /** What its datagrams to the client start with. */
  headerOf(address: Address): Uint8Array
}

/** Remembers the `limit` peers that it had to do with last. */
export const openPeers = (limit: number): Peers => {
  const peers = recent<Peer>(limit)
  const peerAt = ({ host, port }: Address): Peer => {
    const key = `${host} ${port}`
    const known = peers.get(key)
    if (known !== undefined) return known
    const peer = {}
    peers.set(key, peer)
    return peer
  }
  return {
    named(address, name) {
      peerAt(address).name = name
    },
    nameOf: ({ host, port }) => peers.get(`${host} ${port}`)?.name,
    headerOf(address) {
      const peer = peerAt(address)
      return (peer.header ??= datagramHeader.encode({ fragment: 0, destination: address }))
    }
  }
}

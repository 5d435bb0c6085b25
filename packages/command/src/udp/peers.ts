import { datagramHeader, type Address } from '@it-socks/protocol'
import { recent } from './recent.ts'

/** The peers of an association: the targets of the client, and whoever answers it. */
export interface Peers {
  /** Remembers what name an IP address was reached by. */
  named(host: string, name: string): void
  /** The name that an IP address was last reached by, at whatever port: TFTP, for one, answers from another. */
  nameOf(host: string): string | undefined
  /** What a peer's datagrams to the client start with. */
  headerOf(peer: Address): Uint8Array
}

/** Remembers the `limit` peers that it had to do with last. */
export const openPeers = (limit: number): Peers => {
  const names = recent<string>(limit)
  const headers = recent<Uint8Array>(limit)
  // The next datagram often comes from where the last one did.
  let last: { readonly peer: Address; readonly header: Uint8Array } | undefined

  const headerOf = (peer: Address): Uint8Array => {
    const key = `${peer.host} ${peer.port}`
    const known = headers.get(key)
    if (known !== undefined) return known
    const header = datagramHeader.encode({ fragment: 0, destination: peer })
    headers.set(key, header)
    return header
  }

  return {
    named: (host, name) => names.set(host, name),
    nameOf: (host) => names.get(host),
    headerOf(peer) {
      if (last?.peer.host !== peer.host || last.peer.port !== peer.port) last = { peer, header: headerOf(peer) }
      return last.header
    }
  }
}

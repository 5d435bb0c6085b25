import type { ReassembleOptions } from '@it-socks/command'
import type { Address } from '@it-socks/protocol'
import type { QueueLimits, Received } from './datagram-queue.ts'

export interface AssociationOptions extends QueueLimits, ReassembleOptions {
  /**
   * Data of more bytes than this is sent in fragments (RFC 1928 section 7), 127 at most. Many relays drop fragments.
   * Default: none is; what one datagram does not hold cannot be sent.
   */
  fragmentSize?: number
}

/** Why a datagram was dropped. */
export type DropReason =
  /** It did not come from the relay. */
  | 'stranger'
  /** It has no header that can be read. */
  | 'malformed'
  /** A fragment, of a datagram that did not become whole. */
  | 'fragment'
  /** Too much waits for the reader of `source`. */
  | 'congested'
  /** The system did not send it. */
  | 'unsent'

/** Datagrams through a proxy. */
export interface Association {
  /**
   * What comes, from any peer: also one that nothing was sent to, where the proxy lets it through. Whoever leaves the loop
   * closes the association. It throws a `ProxyClosedError` where the proxy ends the association.
   */
  readonly source: AsyncIterable<Received>
  /**
   * Sends a datagram to `host:port` (IPv6 in brackets) or an address. Resolves when it is on its way, which is no promise
   * that it arrives.
   *
   * Rejects with a `TooLongError` where it has no room, with an `UnresolvableError` for a name that is resolved here and
   * has no address, and with the reason of the end where the association is over. Then nothing was sent.
   */
  send(data: Uint8Array, to: string | Address): Promise<void>
  /** Where the proxy takes our datagrams. */
  readonly relay: Address
  /** Where we send them from, and the relay answers to. */
  readonly localAddress: Address
  /** How many datagrams were dropped here so far. */
  readonly dropped: Readonly<Record<DropReason, number>>
  /** Ends the association. `source` ends behind what has come, with an error where one is given. */
  close(error?: unknown): void
}

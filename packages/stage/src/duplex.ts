import type { Address } from '@it-socks/protocol'
import type { Uint8ArrayList } from 'uint8arraylist'
import type { Transport } from './transport.ts'

/** Bytes as they flow: one array, or a list of arrays that belong together and are written as one. */
export type Bytes = Uint8Array | Uint8ArrayList

/**
 * Both directions of a byte stream: a TCP or unix socket, TLS, a libp2p stream, a tunnel through a proxy …
 *
 * - `source` is read once. It ends with the peer's half-close and throws when the stream breaks.
 * - `sink` is called once. It writes what it is given, waits while the peer is slow, half-closes at the end and then
 *   resolves. Where the given source throws, it aborts the stream and rejects; where the stream breaks, it returns the
 *   source and rejects.
 */
export interface ByteDuplex {
  readonly source: AsyncIterable<Bytes>
  sink(source: AsyncIterable<Bytes>): Promise<void>
  /** Our end, where the transport has addresses. */
  readonly localAddress?: Address | undefined
  /** The peer's end, where the transport has addresses. */
  readonly remoteAddress?: Address | undefined
  /**
   * What the bytes travel on, where nothing stands between, neither a cipher nor a transform. What has been read ahead is
   * in `source`, and only there.
   */
  readonly transport?: Transport | undefined
  /** Destroys the stream at once in both directions, as a reset does; `source` and `sink` fail with `reason`. */
  abort?(reason: unknown): void
}

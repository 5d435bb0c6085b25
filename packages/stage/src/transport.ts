import type { Address } from '@it-socks/protocol'
import type { Bytes, ByteDuplex } from './duplex.ts'

/**
 * What a duplex's bytes travel on, where that can do without iterators: callbacks for the few bytes of a handshake, and a
 * relay of its own for those that nobody looks at. It is an offer: `source` and `sink` alone will do, at a higher price.
 *
 * Bytes leave by `write` until the duplex's `sink` is called or it is joined. They come by its `source` until it is joined.
 */
export interface Transport {
  /** The duplex that this is the transport of. One that was made of it, with a source or a sink of its own, is another. */
  readonly duplex: ByteDuplex
  /** Sends these bytes, at once or as soon as there is room. They may be used again when this returns. */
  write(bytes: Bytes): void
  /** How many of the bytes that were written wait still. */
  readonly waiting: number
  /** Calls this once, as soon as nothing waits any more; at once where nothing does. Not where it breaks. */
  drained(act: () => void): void
  /** Has this called, once, where it breaks; replaces what was to be called before. For whoever is not reading. */
  broken(act: ((error: unknown) => void) | undefined): void
  /** Takes back what was read and not consumed: it comes first again. No read may be pending. */
  unread(bytes: Bytes): void
  /**
   * Joins it with another, as `join` of `@it-socks/relay` does two duplexes, and says by `flow` what becomes of it. Both
   * are the relay's from here on: nobody reads, writes or iterates them any more; `abort` of either duplex ends it.
   *
   * @returns whether it knows how to: where not, nothing has happened
   */
  join(target: Transport, flow: Flow): boolean
}

/** Whoever hears of a relay between two transports. */
export interface Flow {
  /** So many bytes were taken from a side, `up` from the client or `down` from the target, and are handed on. */
  passed(direction: 'up' | 'down', length: number): void
  /** Both sides have ended, and all that they said has been handed to the system. Comes last. */
  ended(): void
  /** A side broke. Comes last; whoever hears it aborts both duplexes. */
  failed(error: unknown): void
}

/** The transport of a duplex that nobody has put anything around. */
export const transportOf = (duplex: ByteDuplex): Transport | undefined => {
  if (duplex instanceof Readdressed) return transportOf(duplex.duplex)
  return duplex.transport?.duplex === duplex ? duplex.transport : undefined
}

/** A duplex under addresses of its own: those at the far end of a tunnel, not of the connection to the proxy. */
export const withAddresses = (
  duplex: ByteDuplex,
  addresses: Pick<ByteDuplex, 'localAddress' | 'remoteAddress'>
): ByteDuplex => new Readdressed(duplex, addresses)

class Readdressed implements ByteDuplex {
  readonly duplex: ByteDuplex
  readonly localAddress: Address | undefined
  readonly remoteAddress: Address | undefined

  constructor(duplex: ByteDuplex, { localAddress, remoteAddress }: Pick<ByteDuplex, 'localAddress' | 'remoteAddress'>) {
    this.duplex = duplex
    this.localAddress = localAddress
    this.remoteAddress = remoteAddress
  }

  get source(): AsyncIterable<Bytes> {
    return this.duplex.source
  }

  get transport(): Transport | undefined {
    return this.duplex.transport
  }

  /** it-pipe takes it off and calls it by itself. */
  get sink(): ByteDuplex['sink'] {
    return (source) => this.duplex.sink(source)
  }

  abort(reason: unknown): void {
    this.duplex.abort?.(reason)
  }
}

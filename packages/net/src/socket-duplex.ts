import type { ByteDuplex } from '@it-socks/stage'

/**
 * A connection as a duplex; every method of the contract is there. They may be shared by all duplexes: to make another of
 * one, call them, for a copy (`{ ...duplex }`) may have none.
 */
export interface SocketDuplex extends ByteDuplex {
  readonly source: AsyncIterable<Uint8Array>
  abort(reason: unknown): void
}

import type { Address } from '@it-socks/protocol'
import type { Cancellation } from '@it-socks/stage'
import type { SocketDuplex } from './socket-duplex.ts'

export interface OpenOptions {
  /** The local IP address to connect from. Default: the system chooses. */
  readonly localAddress?: string | undefined
  /** Gives up: the promise rejects with its reason, and nothing stays open. */
  readonly signal: AbortSignal
  /** The same at a lower price: a signal is made for who asks for it. */
  readonly cancellation?: Cancellation
}

/**
 * Connects to one IP address over TCP: what `dial` tries each address with. Rejects with the system's error, or with the
 * signal's reason.
 */
export type Open = (address: Address, options: OpenOptions) => Promise<SocketDuplex>

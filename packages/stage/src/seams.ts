import type { Address } from '@it-socks/protocol'
import { cancellationOf, type Cancellation } from './cancellation.ts'
import type { ByteDuplex } from './duplex.ts'
import type { Pieces } from './pieces.ts'

/** What a command opened for the client: a connection to a target, direct or through other proxies, or an association. */
export interface Tunnel extends ByteDuplex {
  /** What goes past `source` and `sink`, where they are not all there is. */
  readonly datagrams?: DatagramTraffic
}

/** The datagrams of an association, whose `source` and `sink` only tell when it is over. */
export interface DatagramTraffic {
  /** How many were dropped so far, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** Has `passed` told of each that goes through, and how many bytes of data it has. One may watch. */
  watch(passed: (direction: 'up' | 'down', length: number) => void): void
}

export interface Cancellable {
  /** Gives up: the promise rejects with the signal's reason and nothing stays open. */
  signal?: AbortSignal
  /**
   * The same at a lower price: who takes this leaves `signal` alone, which may be made when it is asked for, and is then
   * not in a copy (`{ ...options }`) of these options. This is.
   */
  cancellation?: Cancellation | undefined
}

/** What somebody is cancelled by; by default nobody is. */
export const cancellerOf = (options: Cancellable): Cancellation =>
  options.cancellation ?? cancellationOf(options.signal)

export interface DialOptions extends Cancellable {
  /**
   * Asked about each IP address before it is dialled; throws where that one must not be. Where another machine resolves
   * the name nobody asks. Default: all are permitted.
   */
  permit?: (ip: string) => void
}

/**
 * Opens a tunnel to a destination, whose host may be a domain.
 *
 * Rejects with a `RefusedError` whose `reply` says what went wrong.
 */
export type Dial = (destination: Address, options?: DialOptions) => Promise<Tunnel>

export interface ResolveOptions extends Cancellable {
  /** Only addresses of this family. Default: both. */
  family?: 4 | 6
}

/**
 * Finds the IP addresses of a host, best first; of an IP address, itself. Never resolves with an empty list.
 *
 * Rejects with an `UnresolvableError`.
 */
export type Resolve = (host: string, options?: ResolveOptions) => Promise<readonly string[]>

/** Finds the name of an IP address. Rejects with an `UnresolvableError` where it has none. */
export type ReverseResolve = (ip: string, options?: Cancellable) => Promise<string>

export interface BinderOptions extends Cancellable {
  /** The IP address that is expected to connect: it must be able to reach the socket. Default: not known. */
  peer?: string
  /** Where the client reached us, which others may reach, too. Default: not known. */
  near?: string
}

/** A socket that listens for BIND. */
export interface Binding {
  /** Where others reach it: an IP address, never 0.0.0.0, and a port. */
  readonly address: Address
  /** Who connects. Leaving the loop, and the signal, stop listening; connections that are open stay open. */
  readonly connections: AsyncIterable<Tunnel>
  close(): void
}

/** Listens where a peer can connect. Rejects with a `RefusedError` where that cannot be. */
export type Binder = (options?: BinderOptions) => Promise<Binding>

/** A UDP socket. It has no queue of its own: what cannot be sent now is dropped. */
export interface DatagramSocket {
  /** Where it is bound. */
  readonly localAddress: Address
  /** Sends one datagram to an IP address. Several pieces are one datagram, as with `node:dgram`. */
  send(data: Pieces, to: Address): void
  close(): void
}

export interface DatagramBinderOptions extends Cancellable {
  /** The IP address to bind to, `0.0.0.0` or `::` for all of a family; the system chooses the port. */
  host: string
  /** A datagram came. `data` is the listener's own. */
  received: (data: Uint8Array, from: Address) => void
  /** One was dropped instead of sent: the system refused it, or too much waits to be sent. Default: nobody is told. */
  dropped?: (error: Error) => void
}

/** Opens a UDP socket. Rejects with a `RefusedError` where that cannot be. */
export type DatagramBinder = (options: DatagramBinderOptions) => Promise<DatagramSocket>

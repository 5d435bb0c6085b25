import type { Address, Request } from '@it-socks/protocol'
import type { Bytes, ByteDuplex } from './duplex.ts'

/** Who the client is, as far as an authentication method found out. Methods may know more than this. */
export interface Identity {
  /** The method's name: `none`, `username/password` … */
  readonly method: string
  /** The user, where the method has users. */
  readonly username?: string
}

/** What authentication adds to the context. No command runs without it. */
export interface Authenticated<I extends Identity = Identity> {
  readonly identity: I
}

/** What logging in adds to a client's context. */
export interface LoggedIn {
  /** METHOD: how. */
  readonly method: number
}

/** What reading the request adds to the context. */
export interface Requested {
  readonly request: Request
  /** Says yes in the protocol that is spoken here; `bound` is BND.ADDR and BND.PORT. */
  readonly grant: (bound: Address) => Bytes
}

/** What a command adds to the context. */
export interface Tunnelled {
  /** The way to the target, ready to be joined with the client. */
  readonly tunnel: Tunnel
}

/** A connection to a target, direct or through other proxies. */
export type Tunnel = ByteDuplex

export interface DialOptions {
  /** Gives up: the promise rejects with the signal's reason and nothing stays open. */
  signal?: AbortSignal
}

/**
 * Opens a tunnel to a destination, whose host may be a domain.
 *
 * Rejects with a `RefusedError` whose `reply` says what went wrong.
 */
export type Dial = (destination: Address, options?: DialOptions) => Promise<Tunnel>

export interface ResolveOptions extends DialOptions {
  /** Only addresses of this family. Default: both. */
  family?: 4 | 6
}

/**
 * Finds the IP addresses of a host, best first; of an IP address, itself. Never resolves with an empty list.
 *
 * Rejects with an `UnresolvableError`.
 */
export type Resolve = (host: string, options?: ResolveOptions) => Promise<readonly string[]>

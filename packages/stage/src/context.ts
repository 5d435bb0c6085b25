import type { Address, Request } from '@it-socks/protocol'
import type { Bytes, ByteDuplex } from './duplex.ts'
import type { Tunnel } from './seams.ts'

/** Where the client comes from: given to `frames`, for the stages that ask for it. */
export interface Connected {
  /** The client's connection, of which only the addresses are anybody's business. */
  readonly connection: Pick<ByteDuplex, 'localAddress' | 'remoteAddress'>
}

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

/** What a granted request adds to a client's context. */
export interface Granted {
  /** BND.ADDR and BND.PORT: for CONNECT, the address from which the proxy reached the destination. */
  readonly bound: Address
}

/** What reading the request adds to the context. */
export interface Requested {
  readonly request: Request
  /** Says yes in the protocol that is spoken here; `bound` is BND.ADDR and BND.PORT. */
  readonly grant: (bound: Address) => Bytes
}

/**
 * Judges an address that the client is to have to do with, before it has. `name` is what the address was resolved from.
 *
 * @throws {RefusedError} where it may not
 */
export type Permit = (address: Address, name?: string) => void

/** What rules add to the context, for the commands. Where there are no rules it is missing, and all is permitted. */
export interface Authorized {
  readonly permit: Permit
}

/** What a command adds to the context. */
export interface Tunnelled {
  /** What is to be joined with the client. */
  readonly tunnel: Tunnel
}

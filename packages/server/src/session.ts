import type { Address, Request } from '@it-socks/protocol'
import type { Endpoint } from '@it-socks/net'
import type { Traffic } from '@it-socks/relay'
import type { Identity } from '@it-socks/stage'

/** One client connection, from accepting it to its end. What is not known yet is not there yet. */
export interface Session {
  /** Counts up from 1. */
  readonly id: number
  /** Where the client came in. */
  readonly listener: Endpoint
  /** The client's address; a unix socket has none. */
  readonly client?: Address
  /** Since `authenticated`. */
  readonly identity?: Identity
  /** Since `requested`. */
  readonly request?: Request
  /** Since `established`: our end of the connection to the target, or where an association takes its datagrams. */
  readonly bound?: Address
  /** Since `established`, of an association: how many datagrams were dropped so far, by reason. */
  readonly dropped?: Readonly<Record<string, number>>
  /** Bytes relayed so far, each way; of datagrams, the data without headers. */
  readonly traffic: Readonly<Traffic>
  /** Resolves when the session is gone; never rejects. */
  readonly closed: Promise<void>
  /** Resets the client and the target; the session then closes with this reason. Default: a `ClosedError`. */
  close(reason?: Error): void
}

/** What a server tells of, with the arguments of each event's listeners. */
export interface ServerEvents {
  /** A client connected. */
  opened: [session: Session]
  /** It said who it is. */
  authenticated: [session: Session]
  /** It said what it wants. */
  requested: [session: Session]
  /** It was granted that; the relay starts. */
  established: [session: Session]
  /** It is gone. `cause` is why, where it did not just end. Comes once for every `opened`. */
  closed: [session: Session, cause: unknown]
  /** A client was turned away because there are as many connections as there may be. */
  rejected: [client: Address | undefined]
  /** A connection could not be accepted, for want of descriptors for example. The server goes on. */
  acceptError: [error: Error]
}

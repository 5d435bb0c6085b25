/** What the log says of a session that is over; the fields of its line of JSON. */
export interface SessionRecord {
  readonly event: 'session'
  /** Counts up from 1. */
  readonly session: number
  /** Where the client came in, as `--listen` takes it. */
  readonly listener: string
  /** The client's address; a unix socket has none. */
  readonly client?: string
  readonly user?: string
  /** The authentication method. */
  readonly method?: string
  readonly command?: string
  readonly destination?: string
  /** The address from which the destination was reached. */
  readonly bound?: string
  /** Bytes from client to destination, and back. */
  readonly up: number
  readonly down: number
  readonly seconds: number
  /** `ok`, the name of an error of it-socks, or the system’s code. */
  readonly outcome: string
  /** The reply that the client was refused with. */
  readonly reply?: string
  /** The error’s code and message. */
  readonly code?: string
  readonly reason?: string
}

/** From where to where a session went, and for whom. */
export const wayOf = ({ client, destination, user }: Pick<SessionRecord, 'client' | 'destination' | 'user'>): string =>
  `${client ?? 'unix'} → ${destination ?? '?'}${user === undefined ? '' : ` (${user})`}`

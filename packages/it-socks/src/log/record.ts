import type { CommandName } from '@it-socks/protocol'

/** What the log says of a session that is over; the fields of its line of JSON. */
export interface SessionRecord {
  readonly event: 'session'
  /** Counts up from 1, in each worker. */
  readonly session: number
  /** Which of several workers, from 1. */
  readonly worker?: number
  /** Where the client came in, as `--listen` takes it. */
  readonly listener: string
  /** The client's address; a unix socket has none. */
  readonly client?: string
  readonly user?: string
  /** The authentication method. */
  readonly method?: string
  readonly command?: CommandName
  readonly destination?: string
  /** The address from which the destination was reached, or where datagrams were taken. */
  readonly bound?: string
  /** Bytes from client to destination, and back. */
  readonly up: number
  readonly down: number
  /** Of UDP: how many datagrams were dropped, by reason. */
  readonly dropped?: Readonly<Record<string, number>>
  readonly seconds: number
  /** `ok`, the name of an error of it-socks, or the system’s code. */
  readonly outcome: string
  /** The reply that the client was refused with. */
  readonly reply?: string
  /** The name of the rule that refused it. */
  readonly rule?: string
  /** The error’s code and message. */
  readonly code?: string
  readonly reason?: string
}

type Way = Pick<SessionRecord, 'client' | 'command' | 'destination' | 'user' | 'method'>

/** From where to where a session went, and for whom. */
export const wayOf = ({ client, command = 'connect', destination = '?', user, method }: Way): string => {
  const who = [user, method === 'socks4' ? 'SOCKS4' : undefined].filter((word) => word !== undefined)
  return `${client ?? 'unix'} → ${aims[command](destination)}${who.length > 0 ? ` (${who.join(', ')})` : ''}`
}

const aims: Readonly<Record<CommandName, (destination: string) => string>> = {
  connect: (destination) => destination,
  bind: (destination) => `BIND ${destination}`,
  // What a client says of where its datagrams come from is nothing to know.
  udpAssociate: () => 'UDP',
  resolve: (destination) => `RESOLVE ${withoutPort(destination)}`,
  resolvePtr: (destination) => `RESOLVE_PTR ${withoutPort(destination)}`
}

const withoutPort = (address: string): string => address.replace(/:\d+$/, '')

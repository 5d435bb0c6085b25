import type { Server } from 'node:net'
import type { Open } from './open.ts'
import type { SocketDuplex } from './socket-duplex.ts'

/** How connections come about. */
export interface Stack {
  /** Has `take` called with each connection of a server that is to listen, on TCP or on a unix socket. */
  readonly accept: (server: Server, isTcp: boolean, take: (connection: SocketDuplex) => void) => void
  readonly open: Open
}

import { command, connect, request } from '@it-socks/command'
import { relay, type Traffic } from '@it-socks/relay'
import { compose, deadline, frames, observe, pipe, type Authenticated, type ByteDuplex } from '@it-socks/stage'
import type { Requested, Tunnelled } from '@it-socks/stage'
import type { Settings } from './options.ts'

/** Who is told how far a connection has come, and where its bytes are counted. */
export interface Progress {
  readonly authenticated: (context: Authenticated) => void
  readonly requested: (context: Requested) => void
  readonly established: (context: Tunnelled) => void
  readonly traffic: Traffic
}

/** The default pipeline. Resolves when the relay has ended; rejects with what went wrong. */
export const serve = (
  connection: ByteDuplex,
  { authentication, dial, handshakeTimeout, connectTimeout, idleTimeout }: Settings,
  { authenticated, requested, established, traffic }: Progress,
  signal: AbortSignal
): Promise<Traffic> =>
  pipe(
    connection,
    frames({ signal }),
    deadline(
      'the handshake',
      handshakeTimeout,
      compose(authentication, observe(authenticated), request(), observe(requested))
    ),
    deadline('reaching the target', connectTimeout, command({ connect: connect(dial) })),
    observe(established),
    relay(connection, { idle: idleTimeout, traffic })
  )

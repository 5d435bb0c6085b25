import type { Endpoint, SocketDuplex } from '@it-socks/net'
import { ClosedError } from '@it-socks/protocol'
import type { Serve } from './pipeline.ts'
import type { ServerEvents, Session } from './session.ts'

/** Tells the listeners of an event. */
export type Emit = <Event extends keyof ServerEvents>(event: Event, ...args: ServerEvents[Event]) => void

export interface SessionOptions {
  readonly id: number
  readonly listener: Endpoint
  readonly serve: Serve
  /** Has the session while it is open. */
  readonly sessions: Set<Session>
  readonly emit: Emit
}

/** Serves one connection to its end, and tells how far it has come. */
export const openSession = (
  connection: SocketDuplex,
  { id, listener, serve, sessions, emit }: SessionOptions
): void => {
  const controller = new AbortController()
  const traffic = { up: 0, down: 0 }
  let markClosed: () => void
  const session: Session = {
    id,
    listener,
    ...(connection.remoteAddress && { client: connection.remoteAddress }),
    traffic,
    closed: new Promise((resolve) => {
      markClosed = resolve
    }),
    close(reason = new ClosedError()) {
      controller.abort(reason)
      connection.abort(reason)
    }
  }
  const reach = (event: 'authenticated' | 'requested' | 'established', known: Partial<Session>): void =>
    emit(event, Object.assign(session, known))

  const failed = (cause: unknown): void => {
    // Whatever is still under way for this client, a dial for example, is of no use any more.
    controller.abort(cause)
    ended(cause ?? new ClosedError('the session failed without a reason'))
  }
  const ended = (cause?: unknown): void => {
    sessions.delete(session)
    markClosed()
    emit('closed', session, cause)
  }

  sessions.add(session)
  emit('opened', session)
  serve(
    connection,
    {
      authenticated: ({ identity }) => reach('authenticated', { identity }),
      requested: ({ request }) => reach('requested', { request }),
      established: ({ tunnel: { localAddress: bound, datagrams } }) =>
        reach('established', { ...(bound && { bound }), ...(datagrams && { dropped: datagrams.dropped }) }),
      traffic
    },
    controller.signal
  ).then(() => ended(), failed)
}

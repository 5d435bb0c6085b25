import type { Endpoint, Listener, SocketDuplex } from '@it-socks/net'

/** A listener whose connections wait until the server listens everywhere. */
export interface Door {
  readonly listener: Listener
  /** Lets those in who wait, and all who come. */
  readonly open: (at: Endpoint) => void
  /** Resets those who wait. */
  readonly shut: (reason: unknown) => void
}

export const openDoor = (
  enter: (connection: SocketDuplex, at: Endpoint) => void,
  listen: (accept: (connection: SocketDuplex) => void) => Listener
): Door => {
  const waiting: SocketDuplex[] = []
  let bound: Endpoint | undefined
  const listener = listen((connection) => {
    if (bound === undefined) waiting.push(connection)
    else enter(connection, bound)
  })
  return {
    listener,
    open(at) {
      bound = at
      for (const connection of waiting.splice(0)) enter(connection, at)
    },
    shut(reason) {
      for (const connection of waiting.splice(0)) connection.abort(reason)
    }
  }
}

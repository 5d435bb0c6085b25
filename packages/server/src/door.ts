import type { Endpoint, Listener, SocketDuplex } from '@it-socks/net'
import { ClosedError } from '@it-socks/protocol'

/** A listener whose connections wait until the server listens everywhere. */
export interface Door {
  readonly listener: Listener
  /** Lets those in who wait, and all who come. */
  readonly open: (at: Endpoint) => void
  /** Resets those who wait. */
  readonly shut: (reason: unknown) => void
}

/** So many may wait for the others to listen. */
const most = 128

export const openDoor = (
  enter: (connection: SocketDuplex, at: Endpoint) => void,
  listen: (accept: (connection: SocketDuplex) => void) => Listener
): Door => {
  const waiting: SocketDuplex[] = []
  let bound: Endpoint | undefined
  let isShut = false
  const listener = listen((connection) => {
    if (bound !== undefined) enter(connection, bound)
    else if (waiting.length < most && !isShut) waiting.push(connection)
    else connection.abort(new ClosedError('the server does not listen yet'))
  })
  return {
    listener,
    open(at) {
      bound = at
      for (const connection of waiting.splice(0)) enter(connection, at)
    },
    shut(reason) {
      isShut = true
      for (const connection of waiting.splice(0)) connection.abort(reason)
    }
  }
}

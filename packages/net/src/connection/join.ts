import type { Flow } from '@it-socks/stage'
import { breakage } from '../breakage.ts'
import { startReading } from '../handle.ts'
import { settleReaders } from './read.ts'
import { isClean, type State } from './state.ts'
import { finish, give } from './write.ts'

/** Joins two that nobody has taken: each gives the other what it reads. */
export const joinTo = (client: State, target: State, flow: Flow): void => {
  meet(client, target, flow, 'up')
  meet(target, client, flow, 'down')
  client.forward()
  target.forward()
  // Nothing else tells of what was over before.
  if (client.isClosed || target.isClosed) {
    queueMicrotask(() => {
      if (client.isClosed) closed(client)
      if (target.isClosed) closed(target)
    })
  }
}

/** Gives the peer what there is, what was read ahead first, and reads on unless the peer is full. */
export const forward = (connection: State): void => {
  const { peer } = connection
  if (peer === undefined) return
  while (connection.ahead !== undefined) {
    const bytes = connection.ahead.shift()
    if (connection.ahead.length === 0) connection.ahead = undefined
    if (bytes === undefined) continue
    connection.flow?.passed(connection.direction, bytes.length)
    if (!give(peer, bytes, bytes.length, false)) return
  }
  if (peer.socket.writableLength > 0) return
  if (connection.socket.readableEnded) finish(peer)
  else if (connection.isLent) startReading(connection.socket)
  else connection.socket.resume()
}

/** The socket is closed: both sides have said all, or it is broken. Whom it concerns hears of it. */
export const closed = (connection: State): void => {
  connection.isClosed = true
  settleReaders(connection)
  if (!isClean(connection)) return tellBroken(connection)
  // Both directions have ended; and where those of the other have, too, so has the relay.
  if (connection.peer?.isClosed === true) part(connection)?.ended()
}

/** Tells why it is broken. */
export const tellBroken = (connection: State): void => {
  const error = breakage(connection)
  const act = connection.whenBroken
  connection.whenBroken = undefined
  act?.(error)
  part(connection)?.failed(error)
}

const meet = (connection: State, peer: State, flow: Flow, direction: 'up' | 'down'): void => {
  connection.peer = peer
  connection.flow = flow
  connection.direction = direction
  connection.whenBroken = undefined
}

/** The relay is over: whose it was, the first time. */
const part = (connection: State): Flow | undefined => {
  const { flow, peer } = connection
  if (peer !== undefined) {
    peer.flow = undefined
    peer.peer = undefined
  }
  connection.flow = undefined
  connection.peer = undefined
  return flow
}

import type { Flow } from '@it-socks/stage'
import { startReading } from './read.ts'
import type { State } from './state.ts'
import { finish, give } from './write.ts'

/** Joins two that are whole: each gives the other what it reads. */
export const joinTo = (client: State, target: State, flow: Flow): void => {
  meet(client, target, flow, 'up')
  meet(target, client, flow, 'down')
  forward(client)
  forward(target)
}

const meet = (connection: State, peer: State, flow: Flow, direction: 'up' | 'down'): void => {
  connection.peer = peer
  connection.flow = flow
  connection.direction = direction
  connection.whenBroken = undefined
}

/** Gives the peer what there is, what was read ahead first, and reads on unless the peer is full. */
export const forward = (connection: State): void => {
  while (connection.ahead !== undefined) {
    const { peer } = connection
    const bytes = connection.ahead.shift()
    if (connection.ahead.length === 0) connection.ahead = undefined
    if (bytes === undefined || peer === undefined) continue
    connection.flow?.passed(connection.direction, bytes.length)
    if (!give(peer, bytes, bytes.length, false)) return
  }
  const { peer } = connection
  if (peer === undefined || peer.waiting > 0) return
  if (connection.isEnded) finish(peer)
  else startReading(connection)
}

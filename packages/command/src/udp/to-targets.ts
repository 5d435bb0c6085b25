import { addressType, type Address, type Datagram } from '@it-socks/protocol'
import type { Permit } from '@it-socks/stage'
import { isPermitted } from '../is-permitted.ts'
import type { Drops } from './drops.ts'
import type { Names } from './names.ts'
import type { Peers } from './peers.ts'
import type { WaitingRoom } from './waiting-room.ts'
import type { Send } from './ways.ts'

export interface ToTargetsOptions {
  names: Names
  peers: Peers
  permit: Permit | undefined
  /** Where datagrams wait while their name is resolved. */
  room: WaitingRoom
  drop: Drops['drop']
  send: Send
}

/**
 * Passes the client's datagrams on: rules are asked about each, names are resolved, and those to one destination keep
 * their order. One that may not be sent is dropped, and nobody is told.
 */
export const toTargets = ({ names, peers, permit, room, drop, send }: ToTargetsOptions) => {
  const toAddress = (data: Uint8Array, to: Address): void => {
    if (isPermitted(permit, to)) send(data, to)
    else drop('not-allowed')
  }

  const toName = (data: Uint8Array, { host: name, port }: Address, answer: readonly string[] | undefined): void => {
    if (answer === undefined) return drop('unresolvable')
    const host = answer.find((ip) => isPermitted(permit, { host: ip, port }, name))
    if (host === undefined) return drop('not-allowed')
    if (permit !== undefined) peers.named(host, name)
    send(data, { host, port })
  }

  return ({ destination, data }: Datagram): void => {
    if (addressType(destination.host) !== 'domain') return toAddress(data, destination)
    const answer = names.known(destination.host)
    if (answer !== undefined) return toName(data, destination, answer)
    if (!room.enter(data.length)) return drop('congested')
    names.lookUp(destination.host, (found) => {
      room.leave(data.length)
      toName(data, destination, found)
    })
  }
}

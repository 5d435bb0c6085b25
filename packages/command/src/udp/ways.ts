import type { Address } from '@it-socks/protocol'
import { onAbort, type DatagramSocket } from '@it-socks/stage'
import type { Drops } from './drops.ts'
import { capacityOf, familyOf, reaches } from './reach.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** Sends a datagram to an IP address: at once, or when the socket that it takes is open. */
export type Send = (data: Uint8Array, to: Address) => void

export interface WaysOptions {
  /** The socket that the client knows. */
  relay: DatagramSocket
  /** Opens one more, bound to all addresses of a family. */
  open: (host: '0.0.0.0' | '::') => Promise<DatagramSocket>
  /** Where datagrams wait while one opens. */
  room: WaitingRoom
  drop: Drops['drop']
  /** Told of the bytes of each that was sent. */
  sent: (bytes: number) => void
  /** Closes what was opened. */
  signal: AbortSignal
}

/**
 * The ways to the targets. Most go through the relay socket, so that a target sees one address for the client and can
 * answer there. But a client may have reached us at an address that leads nowhere: what is bound to loopback cannot send
 * beyond this machine, and what is IPv4 cannot send to IPv6. For such targets there is one more socket a family, opened
 * when the first datagram needs it.
 */
export const openWays = ({ relay, open, room, drop, sent, signal }: WaysOptions): Send => {
  const deliver = (socket: DatagramSocket, data: Uint8Array, to: Address): void => {
    socket.send(data, to)
    sent(data.length)
  }

  const onDemand = (host: '0.0.0.0' | '::'): Send => {
    let socket: DatagramSocket | undefined
    let waiting: Array<readonly [data: Uint8Array, to: Address]> = []

    const opened = (now: DatagramSocket): void => {
      onAbort(signal, () => now.close())
      if (signal.aborted) return
      socket = now
      for (const [data, to] of leave()) deliver(socket, data, to)
    }
    // What comes later tries again.
    const failed = (): void => drop('unsent', leave().length)

    const leave = (): typeof waiting => {
      const left = waiting
      waiting = []
      for (const [data] of left) room.leave(data.length)
      return left
    }

    return (data, to) => {
      if (socket !== undefined) return deliver(socket, data, to)
      if (!room.enter(data.length)) return drop('congested')
      waiting.push([data, to])
      if (waiting.length === 1) open(host).then(opened, failed)
    }
  }

  const further = { 4: onDemand('0.0.0.0'), 6: onDemand('::') }
  return (data, to) => {
    if (data.length > capacityOf(to.host)) drop('too-large')
    else if (reaches(relay.localAddress.host, to.host)) deliver(relay, data, to)
    else further[familyOf(to.host)](data, to)
  }
}

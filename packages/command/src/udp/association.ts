import type { Address } from '@it-socks/protocol'
import { onAbort, type DatagramBinder, type DatagramBinderOptions, type Permit, type Resolve } from '@it-socks/stage'
import type { Tunnel } from '@it-socks/stage'
import { countDrops, type DropReason } from './drops.ts'
import { openLifetime } from './lifetime.ts'
import { openNames } from './names.ts'
import { openPeers } from './peers.ts'
import { familyOf } from './reach.ts'
import { datagramReader } from './read-datagram.ts'
import { reassemble, type ReassembleOptions } from './reassembly.ts'
import type { RelaySockets } from './relay-sockets.ts'
import { toClient } from './to-client.ts'
import { toTargets } from './to-targets.ts'
import { countTraffic } from './traffic.ts'
import { waitingRoom, type WaitingLimits } from './waiting-room.ts'
import { openWays } from './ways.ts'

export interface AssociationLimits extends ReassembleOptions, WaitingLimits {
  /** How many names are remembered with their addresses. Default: 256. */
  maxNames?: number
  /** How many peers are remembered, to answer them faster. Default: 256. */
  maxPeers?: number
}

/** An association as a tunnel: `localAddress` is that of its relay socket. */
export interface Association extends Tunnel {
  readonly localAddress: Address
  readonly datagrams: NonNullable<Tunnel['datagrams']> & { readonly dropped: Readonly<Record<DropReason, number>> }
  abort(reason: unknown): void
}

export interface AssociationOptions {
  binder: DatagramBinder
  resolve: Resolve
  limits: AssociationLimits
  /** Where to bind the relay socket. */
  host: string
  /** The client's IP address, and its port or, where it did not say, 0. */
  client: Address
  permit: Permit | undefined
  relays: RelaySockets
  /** Gives up before the socket is open. */
  signal: AbortSignal
}

/** Rejects as the `binder` does. */
export const openAssociation = async (options: AssociationOptions): Promise<Association> => {
  const { binder, limits, permit, host, signal } = options
  const { dropped, drop } = countDrops()
  const unsent = (): void => drop('unsent')
  // Before the client has its reply nobody knows of the socket.
  let receive: DatagramBinderOptions['received'] = () => {}
  const relay = await binder({ host, signal, received: (data, from) => receive(data, from), dropped: unsent })

  const { source, sink, abort, signal: ended } = openLifetime()
  const { passed, watch } = countTraffic()
  const room = waitingRoom(limits)
  const peers = openPeers(limits.maxPeers ?? 256)
  const names = openNames(options.resolve, { limit: limits.maxNames ?? 256, prefer: familyOf(host), signal: ended })
  const reassembly = reassemble((fragments) => drop('fragment', fragments), limits)
  const read = datagramReader()
  // A relay socket that is taken for a client would have us talk to ourselves, for ever where the peer is an echo.
  const { relays } = options
  relays.add(relay.localAddress)
  const isNamed = options.client.port !== 0 && !relays.has(options.client)
  let client = isNamed ? options.client : undefined

  const answer = toClient({
    client: () => client,
    relay,
    peers,
    permit,
    drop,
    sent: (bytes) => passed('down', bytes)
  })
  // Asked for every datagram: a signal takes longer to tell.
  let isOver = false
  const fromPeer = (data: Uint8Array, from: Address): void => {
    if (!isOver) answer(data, from)
  }
  const send = openWays({
    relay,
    open: async (any) => binder({ host: any, signal: ended, received: fromPeer, dropped: unsent }),
    room,
    drop,
    sent: (bytes) => passed('up', bytes),
    signal: ended
  })
  const pass = toTargets({ names, peers, permit, room, drop, send })
  const fromClient = (bytes: Uint8Array, from: Address): void => {
    const datagram = read(bytes)
    if (datagram === undefined || datagram.destination.port === 0) return drop('malformed')
    client ??= from
    const whole = reassembly.take(datagram)
    if (whole !== undefined) pass(whole)
  }
  const isClient = (from: Address): boolean =>
    from.host === options.client.host && (client === undefined ? !relays.has(from) : from.port === client.port)

  receive = (data, from) => {
    if (isOver) return
    if (isClient(from)) fromClient(data, from)
    else fromPeer(data, from)
  }
  onAbort(ended, () => {
    isOver = true
    reassembly.stop()
    relays.delete(relay.localAddress)
    relay.close()
  })
  return { source, sink, abort, localAddress: relay.localAddress, datagrams: { dropped, watch } }
}

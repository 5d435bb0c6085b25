import { parseAddress, type Address } from '@it-socks/protocol'
import type { ServerOptions } from '@it-socks/server'
import { hex, toHex, type MemoryDatagramSocket } from '@it-socks/testing'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { openClient, openSetting } from './conversation.ts'

/** A datagram on its way: what the client sends to the relay, or what a peer sends to where the relay sends from. */
interface Sent {
  /** Who sends it: `client`, another socket of the client's as `127.0.0.1:port`, or a peer as `host:port`. */
  readonly from: string
  readonly bytes: Uint8Array
}

/** An association, to its end: the datagrams that are sent, and all that comes of them. */
export interface DatagramCase {
  /** What is guarded. */
  readonly name: string
  /** The request from ATYP on: where the client says that it sends from. Default: 0.0.0.0:0. */
  readonly request?: Uint8Array
  readonly sent: readonly Sent[]
  /** What arrives at peers, in order: `host:port` and the data. Each sends back what it gets. Default: nothing. */
  readonly peers?: ReadonlyArray<readonly [at: string, data: Uint8Array]>
  /** What the client gets, in order. Default: nothing. */
  readonly client?: readonly Uint8Array[]
  /** How many datagrams are dropped, by reason. Default: none. */
  readonly dropped?: Readonly<Record<string, number>>
}

/** What came of an association, in words that a failing test can show. */
interface Outcome {
  readonly peers: readonly string[]
  readonly client: readonly string[]
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: string | undefined
  /** Sockets that were left open behind the server. */
  readonly open: number
}

/**
 * Tests of associations with a server of these options. The client's connection is TCP; datagrams and peers are made of
 * memory. Each datagram has been dealt with before the next is sent.
 */
export const datagramConformance = (options: ServerOptions, cases: readonly DatagramCase[]): void => {
  it.each(cases)('$name', async (association) => {
    const { peers = [], client = [], dropped = {} } = association
    const expected: Outcome = {
      peers: peers.map(([at, data]) => `${at} ${toHex(data)}`),
      client: client.map(toHex),
      dropped,
      failed: undefined,
      open: 0
    }
    expect(await associate(options, association)).toEqual(expected)
  })
}

const anywhere = hex`01 00000000 0000`

const associate = async (
  options: ServerOptions,
  { request = anywhere, sent, peers = [] }: DatagramCase
): Promise<Outcome> => {
  const { outside, port, over } = await openSetting(options)
  const { network } = outside
  const client = openClient(port)
  await client.say([hex`05 01 00 05 03 00 ${request}`])
  const reply = await client.heard(12)
  const relay = { host: '127.0.0.1', port: reply[10]! * 256 + reply[11]! }
  expect(toHex(reply.subarray(0, 10))).toBe('05 00 05 00 00 01 7f 00 00 01')

  /** Where the relay sends from, as peers see it. */
  let outward: Address = relay
  const arrived: string[] = []
  const echo = async (at: string): Promise<void> => {
    const { host, port } = parseAddress(at)
    const socket = network.bind(host, port)
    for (;;) {
      const { data, from } = await socket.receive()
      arrived.push(`${at} ${toHex(data)}`)
      outward = from
      socket.send(data, from)
    }
  }
  for (const at of new Set(peers.map(([at]) => at))) void echo(at)

  const sockets = new Map<string, MemoryDatagramSocket>()
  const socketOf = (from: string): MemoryDatagramSocket => {
    const known = sockets.get(from)
    if (known !== undefined) return known
    const { host, port } = from === 'client' ? clientAddress : parseAddress(from)
    const socket = network.bind(host, port)
    sockets.set(from, socket)
    return socket
  }
  const own = socketOf('client')
  for (const { from, bytes } of sent) {
    socketOf(from).send(bytes, from.startsWith('127.') || from === 'client' ? relay : outward)
    await turn()
    await turn()
  }
  const heard = own.inbox.map(({ data }) => toHex(data))

  client.socket.end()
  await client.closed
  const { session, failed } = await over
  const dropped = Object.fromEntries(Object.entries(session.dropped ?? {}).filter(([, count]) => count > 0))
  return { peers: arrived, client: heard, dropped, failed, open: outside.open() }
}

/** Where the client sends from, unless it says otherwise. */
const clientAddress: Address = { host: '127.0.0.1', port: 40_000 }

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { join, type JoinOptions, type Traffic } from '@it-socks/relay'
import type { Endpoint, SocketDuplex } from '@it-socks/net'
import { accepted, dialled } from '../support/connected.ts'
import { pattern } from '../support/duplex.ts'
import { standstill } from '../support/process.ts'
import type { Way } from './engines.ts'

export type Side = 'client' | 'target'
export const sides: readonly Side[] = ['client', 'target']
export const megabyte = 1_048_576

/** Two connections of an engine that nobody has joined yet, and their peers, plain sockets of Node's. */
export interface Pair {
  readonly client: Socket
  readonly target: Socket
  /** The relay's own two ends. */
  readonly near: SocketDuplex
  readonly far: SocketDuplex
}

export interface Relayed extends Pair {
  readonly traffic: Traffic
  /** What came of it: the bytes, or the error. */
  readonly outcome: Promise<unknown>
}

/** A client that the engine has accepted, and a target that it has dialled. */
export const pair = async (way: Way, at: Endpoint = { host: '127.0.0.1', port: 0 }): Promise<Pair> => {
  const { ours: near, peer: client } = await accepted(way.engine, at)
  const { ours: far, peer: target } = await dialled(way.engine)
  return { client, target, near, far }
}

/** Joins what nobody has joined yet. */
export const relayOf = (way: Way, both: Pair, options: JoinOptions = {}): Relayed => {
  const traffic = { up: 0, down: 0 }
  const outcome = join(both.near, both.far, { traffic, ...way.join, ...options }).catch((error: unknown) => error)
  return { ...both, traffic, outcome }
}

export const relay = async (way: Way, options: JoinOptions = {}, at?: Endpoint): Promise<Relayed> =>
  relayOf(way, await pair(way, at), options)

/** The side that is meant, and the other one. */
export const each = (side: Side, { client, target }: Pair): [Socket, Socket] =>
  side === 'client' ? [client, target] : [target, client]

/** What a relay has counted that only one side has said something to. */
export const counted = (by: Side, length: number): Traffic =>
  by === 'client' ? { up: length, down: 0 } : { up: 0, down: length }

/** How much a socket hears until its peer ends. */
export const measure = async (socket: Socket): Promise<number> => {
  let length = 0
  socket
    .on('data', (chunk) => {
      length += chunk.length
    })
    .resume()
  await once(socket, 'end')
  return length
}

/** The next that a socket hears. */
export const next = async (socket: Socket): Promise<string> => {
  const data = once(socket, 'data')
  socket.resume()
  return String(((await data) as unknown[])[0])
}

/** Writes to a socket until it is broken: who does not read does not see it otherwise. */
export const writeUntilBroken = async (socket: Socket): Promise<void> => {
  while (!socket.destroyed) {
    socket.write('are you there?', () => {})
    await turn()
  }
}

/** What sockets are filled with. Its length is a prime: nothing that is lost or comes twice goes unnoticed. */
export const filling: Uint8Array = pattern(65_537)

/** Writes until nothing goes any more, with all that is underway standing still; returns how much was taken. */
export const writeUntilFull = async (socket: Socket, { traffic }: Relayed): Promise<number> => {
  let written = 0
  for (;;) {
    while (!socket.writableNeedDrain) {
      socket.write(filling)
      written += filling.length
    }
    await standstill(() => traffic.up + traffic.down + socket.bytesWritten - socket.writableLength)
    if (socket.writableNeedDrain) return written
  }
}

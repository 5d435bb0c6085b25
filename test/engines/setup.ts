import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { join, type JoinOptions, type Traffic } from '@it-socks/relay'
import type { Endpoint, SocketDuplex } from '@it-socks/net'
import type { ByteDuplex } from '@it-socks/stage'
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
  readonly far: ByteDuplex
}

export interface Relayed extends Pair {
  readonly traffic: Traffic
  /** What came of it: the bytes, or the error. */
  readonly outcome: Promise<unknown>
}

/** A peer's socket, which is closed when the test is over. An error of it is for those who wait for it. */
const peer = (socket: Socket): Socket => {
  onTestFinished(() => {
    socket.destroy()
  })
  return socket.on('error', () => {})
}

const accepted = async ({ engine }: Way, at: Endpoint): Promise<{ client: Socket; near: SocketDuplex }> => {
  const listener = engine.listen(at)
  const connections = listener[Symbol.asyncIterator]()
  const endpoint = await listener.listening
  const client = peer(connect({ ...endpoint, allowHalfOpen: true, noDelay: true }))
  const [{ value: near }] = await Promise.all([connections.next(), once(client, 'connect')])
  listener.close()
  onTestFinished(() => near.abort(new Error('the test is over')))
  return { client, near }
}

const dialled = async ({ engine }: Way): Promise<{ target: Socket; far: ByteDuplex }> => {
  const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const connection = once(server, 'connection')
  const far = await engine.dial()({ host: '127.0.0.1', port })
  const [socket] = (await connection) as Socket[]
  server.close()
  onTestFinished(() => far.abort?.(new Error('the test is over')))
  return { target: peer(socket!), far }
}

/** A client that the engine has accepted, and a target that it has dialled. */
export const pair = async (way: Way, at: Endpoint = { host: '127.0.0.1', port: 0 }): Promise<Pair> => {
  const [one, other] = [await accepted(way, at), await dialled(way)]
  return { ...one, ...other }
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

/** All that a socket hears until its peer ends. */
export const hear = async (socket: Socket): Promise<Buffer> => {
  const heard: Uint8Array[] = []
  socket.on('data', (chunk) => heard.push(chunk)).resume()
  await once(socket, 'end')
  return Buffer.concat(heard)
}

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

/** When a socket hears no more, be it that it ends or that it breaks. (libuv takes a reset that comes with data for an end.) */
export const over = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed || socket.readableEnded) return resolve()
    socket
      .on('error', () => {})
      .on('close', resolve)
      .on('end', resolve)
      .resume()
  })

/** Writes to a socket until it is broken: who does not read does not see it otherwise. */
export const writeUntilBroken = async (socket: Socket): Promise<void> => {
  while (!socket.destroyed) {
    socket.write('are you there?', () => {})
    await turn()
  }
}

/** Writes until nothing goes any more, with all that is underway standing still; returns how much was taken. */
export const writeUntilFull = async (socket: Socket, { traffic }: Relayed): Promise<number> => {
  const chunk = new Uint8Array(65_536)
  let written = 0
  for (;;) {
    while (!socket.writableNeedDrain) {
      socket.write(chunk)
      written += chunk.length
    }
    await standstill(() => traffic.up + traffic.down + socket.bytesWritten - socket.writableLength)
    if (socket.writableNeedDrain) return written
  }
}

/** Bytes that say where they are. */
export const pattern = (length: number): Uint8Array => {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 2_654_435_761)
  return new Uint8Array(words.buffer, 0, length)
}

/** Turns the event loop until `count` has stood still for so many turns: nothing moves any more. */
export const standstill = async (count: () => number, turns = 50): Promise<number> => {
  let last = count()
  for (let still = 0; still < turns; still++) {
    await turn()
    if (count() !== last) still = 0
    last = count()
  }
  return last
}

/** How many descriptors this process has, once that stands still. */
export const descriptors = (): Promise<number> => standstill(() => readdirSync('/dev/fd').length)

/** Where a unix socket may be, for as long as the test runs. */
export const socketPath = (): { path: string } => {
  const folder = mkdtempSync(joinPath(tmpdir(), 'it-socks-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return { path: joinPath(folder, 'socket') }
}

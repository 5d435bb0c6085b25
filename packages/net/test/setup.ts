import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import { dial, isDescriptorTransport, listen, socketDuplex } from '@it-socks/net'
import type { DescriptorTransport, SocketDuplex } from '@it-socks/net'
import { transportOf, type Bytes, type ByteDuplex } from '@it-socks/stage'

/** A source that says these chunks and ends. */
export const say = async function* (...chunks: Bytes[]): AsyncGenerator<Bytes, void> {
  yield* chunks
}

/** All the bytes of a source. */
export const all = async (source: AsyncIterable<Bytes>): Promise<Buffer> => {
  const heard: Uint8Array[] = []
  for await (const bytes of source) heard.push(bytes.subarray())
  return Buffer.concat(heard)
}

export const iterate = (duplex: ByteDuplex): AsyncIterator<Bytes> => duplex.source[Symbol.asyncIterator]()

/** What a read has brought, as text. */
export const textOf = (result: IteratorResult<Bytes> | undefined): string =>
  Buffer.from((result?.value as Bytes | undefined)?.subarray() ?? []).toString()

/** All that a plain socket hears until its peer ends. (Its own iterator would destroy it then.) */
export const hear = async (socket: Socket): Promise<string> => {
  const heard: Uint8Array[] = []
  socket.on('data', (chunk) => heard.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(heard).toString()
}

/** What a promise fails with. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing: it came through',
    (reason: unknown) => reason
  )

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

/** A source that says nothing until it is returned; `state.returned` says whether it was. */
export const silence = () => {
  const state = { returned: false }
  const waiting: Array<(result: IteratorResult<Bytes, void>) => void> = []
  const source: AsyncIterableIterator<Bytes, void> = {
    [Symbol.asyncIterator]: () => source,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    async return() {
      state.returned = true
      for (const resolve of waiting.splice(0)) resolve({ done: true, value: undefined })
      return { done: true, value: undefined }
    }
  }
  return { state, source }
}

/** Where a unix socket may be, in a directory that is removed when the test ends. */
export const socketPath = async (): Promise<{ path: string }> => {
  const directory = await mkdtemp(join(tmpdir(), 'it-socks-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return { path: join(directory, 'socket') }
}

/** A plain server of Node’s, closed with all its connections when the test ends. */
export const serving = async (where: { host: string; port?: number } | { path: string }): Promise<Server> => {
  const server = createServer({ allowHalfOpen: true })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  server.listen('path' in where ? where : { port: 0, ...where })
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return server
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** A port of this host where nobody listens. */
export const closedPort = async (host = '127.0.0.1'): Promise<number> => {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

/** A connection of two plain sockets. */
export const plain = async (): Promise<{ socket: Socket; peer: Socket }> => {
  const server = await serving({ host: '127.0.0.1' })
  const accepted = once(server, 'connection')
  const socket = connect({ host: '127.0.0.1', port: portOf(server), allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  const [peer] = (await accepted) as [Socket]
  if (socket.connecting) await once(socket, 'connect')
  return { socket, peer }
}

/** A connection: our end as a duplex, and the peer’s as the plain socket that it has. */
export interface Connected {
  readonly ours: SocketDuplex
  readonly peer: Socket
  /** How many bytes our end has been given to write that the kernel has not taken. */
  readonly held: () => number
}

export type Where = { host: string } | { path: string }

const loopback: Where = { host: '127.0.0.1' }

/** One whose own end is a socket of Node’s. */
export const connected = async (where: Where = loopback): Promise<Connected & { readonly socket: Socket }> => {
  const server = await serving(where)
  const accepted = once(server, 'connection')
  const socket = connect({ ...('path' in where ? where : { ...where, port: portOf(server) }), allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  const [peer] = (await accepted) as [Socket]
  return { ours: socketDuplex(socket), socket, peer, held: () => socket.writableLength }
}

/** The transport of a connection that has a descriptor. */
export const transport = (duplex: ByteDuplex): DescriptorTransport => {
  const found = transportOf(duplex)
  if (found === undefined || !isDescriptorTransport(found)) throw new Error('it has no such transport')
  return found
}

/** What a connection is made of, and nobody else is to know. */
export const handleOf = (duplex: SocketDuplex): HandleInTest => (duplex as unknown as { handle: HandleInTest }).handle

/** As much of a handle as tests get in between. */
export interface HandleInTest {
  fd?: number
  readonly writeBuffer: (request: object, bytes: Uint8Array) => number
}

/** One whose own end is a handle: dialled over TCP, or accepted on a unix socket. */
export interface Opened extends Connected {
  readonly at: DescriptorTransport
}

export const opened = async (
  where: Where = loopback,
  prepare: (handle: HandleInTest) => void = () => {}
): Promise<Opened> => {
  const { ours, peer } = await ('path' in where ? acceptedAt(where) : dialledTo(where))
  onTestFinished(() => ours.abort(new Error('the test is over')))
  prepare(handleOf(ours))
  const at = transport(ours)
  return { ours, at, peer, held: () => at.waiting }
}

const dialledTo = async (where: { host: string }): Promise<Pick<Connected, 'ours' | 'peer'>> => {
  const server = await serving(where)
  const accepted = once(server, 'connection')
  const ours = (await dial()({ ...where, port: portOf(server) })) as SocketDuplex
  const [peer] = (await accepted) as [Socket]
  return { ours, peer }
}

const acceptedAt = async (where: { path: string }): Promise<Pick<Connected, 'ours' | 'peer'>> => {
  let taken!: (connection: SocketDuplex) => void
  const connection = new Promise<SocketDuplex>((resolve) => {
    taken = resolve
  })
  const listener = listen(where, { accept: taken })
  await listener.listening
  const peer = connect({ ...where, allowHalfOpen: true }).on('error', () => {})
  onTestFinished(() => void peer.destroy())
  const [ours] = await Promise.all([connection, once(peer, 'connect')])
  listener.close()
  return { ours, peer }
}

/** Both kinds of connections, for what is so of either. */
export const kinds: ReadonlyArray<readonly [name: string, open: (where?: Where) => Promise<Connected>]> = [
  ['a socket of Node’s', connected],
  ['a handle', opened]
]

/** Each way in which a handle’s bytes may be written: with all that there is of it, or with less. */
export const ways: ReadonlyArray<readonly [name: string, prepare: (handle: HandleInTest) => void]> = [
  ['as it is', () => {}],
  ['without a descriptor, as on Windows', (handle) => void Object.defineProperty(handle, 'fd', { value: undefined })]
]

/** The next exception that nobody catches, which would be the end of the process. */
export const uncaught = (): Promise<unknown> => {
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const restore = (): void => {
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other)
  }
  onTestFinished(restore)
  return new Promise((resolve) => {
    process.once('uncaughtException', (error) => {
      restore()
      resolve(error)
    })
  })
}

/** Turns the event loop until this is so. */
export const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await turn()
}

/** How many TCP sockets this process has open, listeners not counted. */
export const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'TCPConnectWrap').length

const handles = new Set(['TCPSocketWrap', 'TCPConnectWrap', 'TCPServerWrap', 'UDPWrap', 'PipeWrap'])

/** How many sockets this process has open, listeners, unix and UDP sockets among them. */
export const openHandles = (): number => process.getActiveResourcesInfo().filter((name) => handles.has(name)).length

/**
 * Remembers how many sockets this process has open now, those that earlier tests have just closed not counted. What comes
 * back resolves once so many more of them are closed.
 */
export const countClosed = async (): Promise<(count: number) => Promise<void>> => {
  const before = await standstill(openHandles)
  return (count) => until(() => openHandles() <= before - count)
}

/** The file descriptors of this process: the resolver's sockets are seen there alone. */
export const openDescriptors = (): string[] => readdirSync('/dev/fd').toSorted()

const listenAndSleep = `
  const { parentPort, workerData } = require('node:worker_threads')
  const server = require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    Atomics.wait(workerData, 0, 0)
    process.exit()
  })
`

/**
 * A port of 127.0.0.1 that does not answer: whoever listens there is asleep and its queue, of two connections on Linux,
 * is full, so that the kernel drops every further attempt to connect.
 */
export const silentPort = async (): Promise<number> => {
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(listenAndSleep, { eval: true, workerData: flag })
  const [port] = (await once(worker, 'message')) as [number]
  const queue = [1, 2].map(() => connect({ port, host: '127.0.0.1' }).on('error', () => {}))
  await Promise.all(queue.map((socket) => once(socket, 'connect')))
  onTestFinished(async () => {
    for (const socket of queue) socket.destroy()
    const gone = once(worker, 'exit')
    Atomics.store(flag, 0, 1)
    Atomics.notify(flag, 0)
    await gone
  })
  return port
}

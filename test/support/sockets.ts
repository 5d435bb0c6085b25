import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import type { Endpoint } from '@it-socks/net'

/** Where a unix socket may be, in a directory that is removed when the test ends. */
export const socketPath = async (): Promise<{ path: string }> => {
  const directory = await mkdtemp(join(tmpdir(), 'it-socks-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return { path: join(directory, 'socket') }
}

/** A plain server of Node’s, closed with all its connections when the test ends. */
export const serving = async (where: { host: string; port?: number } | { path: string }): Promise<Server> => {
  const server = createServer({ allowHalfOpen: true, noDelay: true })
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

/** A plain socket that has connected, closed when the test ends. An error of it is for those who wait for it. */
export const client = async (endpoint: Endpoint): Promise<Socket> => {
  const socket = connect({ ...endpoint, allowHalfOpen: true, noDelay: true }).on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** All that a socket hears until its peer ends. (Its own iterator would destroy it then.) */
export const hear = async (socket: Socket): Promise<Buffer> => {
  const heard: Uint8Array[] = []
  socket.on('data', (chunk) => heard.push(chunk)).resume()
  await once(socket, 'end')
  return Buffer.concat(heard)
}

/** The same, as text. */
export const hearText = async (socket: Socket): Promise<string> => (await hear(socket)).toString()

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

/** What a socket breaks with. */
export const breaking = async (socket: Socket): Promise<unknown> => {
  const [error] = await once(socket.resume(), 'error')
  return error
}

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

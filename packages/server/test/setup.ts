import { EventEmitter, once } from 'node:events'
import { connect, createServer as createTarget, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { engine } from '../../../test/support/engine.ts'
import { createServer, type Server, type ServerEvents, type ServerOptions, type Session } from '@it-socks/server'
import type { Dial } from '@it-socks/stage'
import { hex } from '@it-socks/testing'

/** What a server told, as things stood when it told it. */
export interface Told extends Session {
  readonly event: keyof ServerEvents
  readonly cause?: unknown
}

export interface Started {
  readonly server: Server
  readonly port: number
  /** All that was told so far. */
  readonly told: Told[]
  /** Resolves when the event has been told so many times. */
  readonly until: (event: keyof ServerEvents, times?: number) => Promise<Told>
}

/** A server on a port of the system's choice, closed when the test ends. */
export const start = async (options: ServerOptions = {}): Promise<Started> => {
  const server = createServer({ engine, listen: { host: '127.0.0.1', port: 0 }, ...options })
  const told: Told[] = []
  const news = new EventEmitter()
  const tell = (event: keyof ServerEvents) => (session: Session, cause?: unknown) => {
    told.push({ ...session, event, traffic: { ...session.traffic }, cause })
    news.emit('told')
  }
  for (const event of ['opened', 'authenticated', 'requested', 'established', 'closed'] as const) {
    server.on(event, tell(event))
  }
  onTestFinished(() => server.close())
  const [endpoint] = await server.listen()
  return {
    server,
    port: endpoint !== undefined && 'port' in endpoint ? endpoint.port : 0,
    told,
    async until(event, times = 1) {
      for (;;) {
        const found = told.filter((entry) => entry.event === event)[times - 1]
        if (found !== undefined) return found
        await once(news, 'told')
      }
    }
  }
}

export interface Target {
  readonly port: number
  /** The first connection that came. */
  readonly first: Promise<Socket>
  /** The ports from which connections came. */
  readonly peers: number[]
}

/** A target on a port of the system's choice, closed when the test ends. */
export const target = async (serve: (socket: Socket) => void): Promise<Target> => {
  const sockets: Socket[] = []
  const peers: number[] = []
  const listener = createTarget({ allowHalfOpen: true })
  const first = new Promise<Socket>((resolve) => {
    listener.on('connection', (socket) => {
      sockets.push(socket)
      peers.push(socket.remotePort ?? 0)
      serve(socket.on('error', () => {}))
      resolve(socket)
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(() => {
    listener.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (listener.address() as AddressInfo).port, first, peers }
}

/** A dial that fails with `as it happens`, but not before it is told to. */
export const heldDial = () => {
  let fail: (error: Error) => void
  let begin: () => void
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  const dial: Dial = () => {
    begin()
    return failed
  }
  return { dial, begun, fail: () => fail(new Error('as it happens')) }
}

/** Sends everything back, and the end too. */
export const echo = (socket: Socket): void => {
  socket.pipe(socket)
}

/** A client that speaks bytes, and closes when the server does. */
export interface RawClient {
  readonly socket: Socket
  /** Resolves with the next so many bytes, or fewer where the connection ends or breaks. */
  readonly hear: (length: number) => Promise<Uint8Array>
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>
}

export const rawClient = (to: number | string, { allowHalfOpen = false } = {}): RawClient => {
  const where = typeof to === 'string' ? { path: to } : { host: '127.0.0.1', port: to }
  const socket = connect({ ...where, allowHalfOpen, noDelay: true })
  const state = { heard: Buffer.alloc(0), over: false }
  const news = new EventEmitter()
  const ended = (): void => {
    state.over = true
    news.emit('heard')
  }
  socket.on('data', (chunk) => {
    state.heard = Buffer.concat([state.heard, chunk])
    news.emit('heard')
  })
  socket.on('end', ended).on('error', ended).on('close', ended)
  onTestFinished(() => void socket.destroy())
  return {
    socket,
    async hear(length) {
      while (state.heard.length < length && !state.over) await once(news, 'heard')
      const bytes = state.heard.subarray(0, length)
      state.heard = state.heard.subarray(length)
      return Uint8Array.from(bytes)
    },
    gone: new Promise((resolve) => socket.on('close', () => resolve()))
  }
}

/** The two bytes of a port. */
export const portBytes = (port: number): Uint8Array => Uint8Array.of(port >> 8, port & 0xff)

/** A request to CONNECT to 127.0.0.1. */
export const connectTo = (port: number): Uint8Array => hex`05 01 00 01 7f000001 ${portBytes(port)}`

/** A client that has come as far as a tunnel to 127.0.0.1. */
export const tunnelTo = async (proxy: number | string, port: number, options?: { allowHalfOpen: boolean }) => {
  const client = rawClient(proxy, options)
  client.socket.write(hex`05 01 00`)
  await client.hear(2)
  client.socket.write(connectTo(port))
  await client.hear(10)
  return client
}

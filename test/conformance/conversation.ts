import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { createServer, type Server, type ServerOptions, type Session } from '@it-socks/server'
import { engine } from '../support/engine.ts'
import { onTestFinished } from 'vitest'
import { makeOutside, type Outside } from './outside.ts'

/** A server among things made of memory, and how its one session ends. */
export interface Setting {
  readonly outside: Outside
  readonly server: Server
  /** Where it listens, on 127.0.0.1. */
  readonly port: number
  /** Resolves with the session once it is gone, and the code or the message of the error that it ended with. */
  readonly over: Promise<{ readonly session: Session; readonly failed: string | undefined }>
}

/** Starts a server for one conversation. */
export const openSetting = async (options: ServerOptions): Promise<Setting> => {
  const outside = makeOutside()
  const server = createServer({ engine, ...outside.options, ...options, listen: { host: '127.0.0.1', port: 0 } })
  const closed = once(server, 'closed')
  const [endpoint] = await server.listen()
  if (endpoint === undefined || !('port' in endpoint)) throw new Error('the server does not listen on TCP')
  onTestFinished(() => server.close())
  const over = closed.then(async ([session, cause]) => {
    await server.close()
    return { session: session as Session, failed: codeOf(cause) }
  })
  return { outside, server, port: endpoint.port, over }
}

const codeOf = (cause: unknown): string | undefined => {
  if (cause === undefined) return undefined
  if (!(cause instanceof Error)) return inspect(cause)
  return 'code' in cause ? String(cause.code) : cause.message
}

/** A client that closes when the server does. */
export interface Client {
  readonly socket: Socket
  /** Says all this, piece by piece; but one that has heard the end does not go on. */
  readonly say: (chunks: readonly Uint8Array[]) => Promise<void>
  /** Resolves when so much has been heard, or nothing more comes. */
  readonly heard: (length: number) => Promise<Uint8Array>
  /** Resolves with all that was heard, when the connection is closed or broken. */
  readonly closed: Promise<Uint8Array>
}

/** Connects a client to a port of 127.0.0.1. */
export const openClient = (port: number): Client => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  onTestFinished(() => void socket.destroy())
  let bytes = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    socket.emit('heard')
  })
  return {
    socket,
    async say(chunks) {
      for (const chunk of chunks) {
        if (socket.writable) socket.write(chunk)
        // The server reads what there is before the next piece comes.
        await turn()
        await turn()
      }
    },
    async heard(length) {
      while (bytes.length < length && !socket.closed) await once(socket, 'heard')
      return bytes
    },
    closed: new Promise((resolve) => {
      socket
        .on('error', () => {})
        .on('close', () => {
          socket.emit('heard')
          resolve(bytes)
        })
    })
  }
}

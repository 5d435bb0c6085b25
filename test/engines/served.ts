import { once } from 'node:events'
import { createServer as createTarget, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { createServer, type Server, type ServerOptions, type Session } from '@it-socks/server'
import { client } from '../support/sockets.ts'
import { connectReply, connectRequest } from '../support/wire.ts'
import type { Way } from './engines.ts'

export interface Served {
  readonly server: Server
  readonly port: number
  /** Connects a client through the server with a target. */
  readonly relay: () => Promise<{ client: Socket; target: Socket; session: Session }>
}

/** Opens a socket of Node's; it is closed when the test is over. */
export const open = (port: number): Promise<Socket> => client({ host: '127.0.0.1', port })

/** Reads so many bytes off a socket. */
const skip = (socket: Socket, length: number): Promise<void> =>
  new Promise((resolve) => {
    let left = length
    const take = (chunk: Uint8Array): void => {
      left -= chunk.length
      if (left > 0) return
      socket.off('data', take).pause()
      if (left < 0) socket.unshift(chunk.subarray(left))
      resolve()
    }
    socket.on('data', take).resume()
  })

/** A server on an engine, and a target of its clients. */
export const serve = async (way: Way, options: ServerOptions = {}): Promise<Served> => {
  const server = createServer({ engine: way.engine, listen: { host: '127.0.0.1', port: 0 }, ...options })
  const listener = createTarget({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1')
  listener.on('connection', (socket) => socket.on('error', () => {}))
  await once(listener, 'listening')
  onTestFinished(async () => {
    listener.close()
    await server.close()
  })
  const [endpoint] = await server.listen()
  const port = endpoint !== undefined && 'port' in endpoint ? endpoint.port : 0
  const { port: targetPort } = listener.address() as AddressInfo
  return {
    server,
    port,
    async relay() {
      const [connection, established] = [once(listener, 'connection'), once(server, 'established')]
      const client = await open(port)
      client.write(connectRequest(targetPort))
      // And the port that the reply tells.
      await skip(client, connectReply.length + 2)
      const [[target], [session]] = (await Promise.all([connection, established])) as [[Socket], [Session]]
      onTestFinished(() => {
        target.destroy()
      })
      return { client, target, session }
    }
  }
}

import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A TCP server that the test itself plays. */
export interface Target {
  /** Its address as `host:port`. */
  readonly address: string
  readonly port: number
  /** The next connection, accepted already or yet to come. */
  accept(): Promise<Socket>
}

export interface TargetOptions {
  /** Default: 127.0.0.1. */
  host?: string
  /** Told of every connection at once. */
  onConnection?: (socket: Socket) => void
}

/** Listens for the length of the test on a port that the system chooses. Its sockets half-close. */
export const startTarget = async ({ host = '127.0.0.1', onConnection }: TargetOptions = {}): Promise<Target> => {
  const accepted: Socket[] = []
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    accepted.push(socket)
    onConnection?.(socket)
  })
  server.listen(0, host)
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of open) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    port,
    async accept() {
      while (accepted.length === 0) await once(server, 'connection')
      return accepted.shift()!
    }
  }
}

/** A name without an address; with a label longer than DNS allows, so that no name server is asked and waited for. */
export const unresolvable: string = `${'x'.repeat(64)}.invalid`

import { createServer, type Server } from 'node:net'
import { ClosedError, canonicalHost, type Address } from '@it-socks/protocol'
import { never, onAbort } from '@it-socks/stage'
import { pushable } from 'it-pushable'
import { defaultStack } from './default-stack.ts'
import { checkReusePort } from './reuse-port.ts'
import type { SocketDuplex } from './socket-duplex.ts'
import type { Stack } from './stack.ts'

/** Where to listen: a TCP address, or the path of a unix socket. Port 0 lets the system choose. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string }

export interface ListenOptions {
  /** Stops listening; connections that are open stay open. */
  signal?: AbortSignal
  /** How many accepted connections may wait for the loop to take them; more are reset. Default: 128. */
  pending?: number
  /** Told when a connection could not be accepted, for want of descriptors for example. Default: nobody is. */
  onAcceptError?: (error: Error) => void
  /**
   * Takes each connection as it comes, in place of the loop, which then yields none: what a loop and its promises cost is
   * saved, and nobody waits. Default: the loop takes them.
   */
  accept?: (connection: SocketDuplex) => void
  /**
   * Lets others of this user listen here as well, and the system spreads the connections over them (SO_REUSEPORT). Where
   * the system has no such thing `listening` rejects. Default: false.
   */
  reusePort?: boolean
}

/** Connections as they come. Leaving the loop stops listening, as `close` does. */
export interface Listener extends AsyncIterable<SocketDuplex> {
  /** Resolves once it listens, with the address that the system chose; rejects where it cannot listen. */
  readonly listening: Promise<Endpoint>
  close(): void
}

/** Listens for connections that come about by a stack. */
export const listenBy =
  (stack: Stack) =>
  (
    endpoint: Endpoint,
    { signal = never, pending = 128, onAcceptError = () => {}, accept, reusePort = false }: ListenOptions = {}
  ): Listener => {
    if (reusePort) checkReusePort('path' in endpoint)
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
    let closed = false
    let forget = (): void => {}
    const accepted = pushable<SocketDuplex>({
      objectMode: true,
      onEnd() {
        closed = true
        forget()
        server.close()
      }
    })

    stack.accept(server, 'port' in endpoint, (connection) => {
      if (accept !== undefined) accept(connection)
      else if (accepted.readableLength < pending) accepted.push(connection)
      else connection.abort(new ClosedError())
    })

    const listening = new Promise<Endpoint>((resolve, reject) => {
      server.once('error', reject).once('close', () => reject(new ClosedError('closed before it listened')))
      server.listen({ ...endpoint, reusePort }, () => {
        // Looking the host up took longer than somebody's patience.
        if (closed) return server.close()
        server.off('error', reject).on('error', onAcceptError)
        return resolve(boundEndpoint(server))
      })
    })
    listening.catch((error: Error) => accepted.end(error))

    const close = (): void => {
      accepted.end()
    }
    forget = onAbort(signal, close)

    return {
      listening,
      close,
      [Symbol.asyncIterator]: () => ({
        next: () => accepted.next(),
        async return() {
          close()
          for await (const connection of accepted) connection.abort(new ClosedError('nobody took the connection'))
          return { done: true, value: undefined }
        }
      })
    }
  }

/**
 * Listens for connections, on TCP or a unix socket. The loop throws where it cannot listen (EADDRINUSE, EACCES …).
 *
 * @throws {ConfigurationError} for `reusePort` where this release of Node does not know it, or on a unix socket
 *
 * @example
 *
 * ```ts
 * import { listen } from '@it-socks/net'
 *
 * const listener = listen({ host: '127.0.0.1', port: 0 })
 * const endpoint = await listener.listening
 * 'port' in endpoint && endpoint.port > 0 // => true
 * listener.close()
 * ```
 */
export const listen: (endpoint: Endpoint, options?: ListenOptions) => Listener = listenBy(defaultStack)

const boundEndpoint = (server: Server): Endpoint => {
  const address = server.address()
  if (address === null || typeof address === 'string') return { path: address ?? '' }
  return { host: canonicalHost(address.address), port: address.port } satisfies Address
}

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { canonicalHost, type Address } from '@it-socks/protocol'
import type { SocketDuplex } from '../socket-duplex.ts'
import type { Breakage } from './breakage.ts'
import { socketSink } from './sink.ts'
import { socketSource } from './source.ts'

/**
 * Makes a duplex of a connected socket: TCP, unix or TLS, opened with `allowHalfOpen: true` so that half-close works.
 * The duplex owns the socket from here on. It has no transport, and is relayed by its iterators: connections that `listen`
 * and `dial` bring cost less.
 *
 * @example
 *
 * ```ts
 * import { connect } from 'node:net'
 * import { socketDuplex } from '@it-socks/net'
 *
 * const open = (path: string) => socketDuplex(connect({ path, allowHalfOpen: true }))
 * ```
 */
export const socketDuplex = (socket: Socket): SocketDuplex => {
  const broken: Breakage = {}
  let local: Address | undefined
  let remote: Address | undefined
  socket.on('error', (error) => {
    broken.error ??= error
  })
  const abort = (reason: unknown): void => {
    if (socket.destroyed) return
    broken.error ??= reason
    reset(socket)
  }
  return {
    source: socketSource(socket, broken),
    sink: socketSink(socket, broken, abort),
    get localAddress() {
      return (local ??= address(socket.localAddress, socket.localPort))
    },
    get remoteAddress() {
      return (remote ??= address(socket.remoteAddress, socket.remotePort))
    },
    abort
  }
}

/** A unix socket has no addresses. */
const address = (host: string | undefined, port: number | undefined): Address | undefined =>
  host === undefined || port === undefined ? undefined : { host: canonicalHost(host), port }

/** RST where there is one: only TCP sockets have it, and TLS hides its own. */
const reset = (socket: Socket): void => {
  const tcp = socket.remoteFamily !== undefined && !(socket instanceof TLSSocket)
  if (tcp && !isEnding(socket)) socket.resetAndDestroy()
  else socket.destroy()
}

/** While its FIN is on the way libuv refuses to reset it, and Node would lose the descriptor for good. */
const isEnding = (socket: Socket): boolean =>
  socket.writableEnded && !socket.writableFinished && socket.writableLength === 0

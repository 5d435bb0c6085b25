import type { Socket } from 'node:net'
import { canonicalHost, type Address } from '@it-socks/protocol'
import type { SocketDuplex } from '../socket-duplex.ts'
import { socketSink } from './sink.ts'
import { socketSource } from './source.ts'
import { reset, type SocketState } from './state.ts'

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
  const state: SocketState = {
    socket,
    error: undefined,
    ahead: undefined,
    reader: undefined,
    writer: undefined,
    whenDrained: undefined,
    whenBroken: undefined
  }
  let local: Address | undefined
  let remote: Address | undefined
  socket.on('error', (error) => {
    state.error ??= error
  })
  return {
    source: socketSource(state),
    sink: socketSink(state),
    get localAddress() {
      return (local ??= address(socket.localAddress, socket.localPort))
    },
    get remoteAddress() {
      return (remote ??= address(socket.remoteAddress, socket.remotePort))
    },
    abort: (reason) => reset(state, reason)
  }
}

/** A unix socket has no addresses. */
const address = (host: string | undefined, port: number | undefined): Address | undefined =>
  host === undefined || port === undefined ? undefined : { host: canonicalHost(host), port }

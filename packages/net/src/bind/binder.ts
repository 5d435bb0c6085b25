import { ConfigurationError, RefusedError, addressType, canonicalHost, type Address } from '@it-socks/protocol'
import { cancellationOf, never, onAbort, type Binder, type Binding } from '@it-socks/stage'
import { listen as listenOnSockets, type Listener } from '../listen.ts'
import type { SocketDuplex } from '../socket-duplex.ts'
import { checkPorts, onFreePort, type PortRange } from './ports.ts'
import { routedFrom } from './route.ts'

export interface BinderSettings {
  /**
   * The IP address to listen on, `0.0.0.0` or `::` (which takes IPv4 as well) for all. Default: the one from which this
   * machine reaches the peer that is expected; where none is, the one at which the client reached us; else `127.0.0.1`.
   */
  host?: string
  /** The first and the last port that may be used. Default: the system chooses. */
  ports?: PortRange
  /** How to listen. Default: `listen`, on sockets of Node's. */
  listen?: typeof listenOnSockets
}

/**
 * Makes a `Binder` that listens on TCP. What it says its address is can be connected to: where it listens on all addresses
 * it names the one that it would have chosen by default.
 *
 * The promise rejects with a `RefusedError`: no port is free, the host is not of this machine, there is no route to the
 * peer, or the peer is not of the host's family; or with the signal's reason.
 *
 * @throws {ConfigurationError} for a host that is no IP address, or what is no range of ports
 *
 * @example
 *
 * ```ts
 * import { binder, dial } from '@it-socks/net'
 *
 * const bind = binder({ ports: [40_000, 40_999] })
 * const binding = await bind({ peer: '127.0.0.1' })
 * binding.address.host // => '127.0.0.1'
 *
 * const peer = await dial()(binding.address)
 * for await (const connection of binding.connections) {
 *   connection.remoteAddress?.port === peer.localAddress?.port // => true
 *   connection.abort?.(new Error('enough'))
 *   break // stops listening
 * }
 * ```
 */
export const binder = ({ host, ports, listen = listenOnSockets }: BinderSettings = {}): Binder => {
  const fixed = host === undefined ? undefined : canonicalHost(host)
  if (fixed !== undefined && addressType(fixed) === 'domain')
    throw new ConfigurationError(`${host} is not an IP address`)
  checkPorts(ports)

  return async ({ peer, near, signal = never } = {}) => {
    signal.throwIfAborted()
    const expected = specified(peer)
    if (expected !== undefined && !takes(fixed, expected)) {
      throw new RefusedError('address-type-not-supported', { message: `${expected} cannot connect to ${fixed}` })
    }
    const told = specified(fixed) ?? (await ownAddress(fixed, expected, specified(near)))
    signal.throwIfAborted()
    const at = fixed ?? told
    const cancellation = cancellationOf(signal)
    return onFreePort({ host: at, ports, cancellation }, (port) => bindingOf(listen({ host: at, port }), told, signal))
  }
}

/** The IP address in its canonical form, where it is somebody's: neither 0.0.0.0 nor :: is. */
const specified = (ip: string | undefined): string | undefined => {
  const canonical = ip === undefined ? undefined : canonicalHost(ip)
  return canonical === '0.0.0.0' || canonical === '::' ? undefined : canonical
}

/** Whether one who listens on `host` can be reached at `ip`, or from there. On `::`, Node's sockets take IPv4 as well. */
const takes = (host: string | undefined, ip: string): boolean =>
  host === undefined || host === '::' || addressType(host) === addressType(ip)

/** Where the peer reaches this machine, as far as anybody knows. */
const ownAddress = async (
  host: string | undefined,
  peer: string | undefined,
  near: string | undefined
): Promise<string> => {
  if (peer !== undefined) return routedFrom(peer)
  if (near !== undefined && takes(host, near)) return near
  return host === '::' ? '::1' : '127.0.0.1'
}

const bindingOf = async (listener: Listener, told: string, signal: AbortSignal): Promise<Binding> => {
  const connections = listener[Symbol.asyncIterator]()
  let release = (): void => {}
  /** Unlike the listener's own `close`, this leaves nobody behind who waits to be taken. */
  const stop = async (): Promise<IteratorResult<SocketDuplex>> => {
    release()
    await connections.return?.()
    return { done: true, value: undefined }
  }
  const close = (): void => void stop()
  release = onAbort(signal, close)
  try {
    const { port } = (await listener.listening) as Address
    return {
      address: { host: told, port },
      connections: { [Symbol.asyncIterator]: () => ({ next: () => connections.next(), return: stop }) },
      close
    }
  } catch (error) {
    release()
    throw error
  }
}

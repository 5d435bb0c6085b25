import { ClosedError, type Address } from '@it-socks/protocol'
import { never, onAbort, type Binder, type BinderOptions, type Binding, type Tunnel } from '@it-socks/stage'
import { duplexPair, type MemoryDuplex } from './duplex-pair.ts'

/** What it takes to test BIND without a socket. */
export interface MemoryBinder {
  /** For `bind`. */
  readonly binder: Binder
  /** What the binder was asked for, call by call. */
  readonly asked: readonly BinderOptions[]
  /** How many of its sockets listen: 0 when nothing was left open. */
  readonly listening: () => number
  /**
   * Connects to the socket that was opened last, as a peer at `from`, or waits for one to be opened. Resolves with the
   * peer's end; a socket that closes resets those that nobody has taken.
   */
  readonly connect: (from: Address) => Promise<MemoryDuplex>
}

export interface MemoryBinderOptions {
  /** Where its sockets listen. Default: 192.0.2.1:4000. */
  address?: Address
}

/**
 * A `Binder` whose peers connect when the test says so. Where the signal aborts its sockets close, as those of the
 * system do, and it rejects with the reason where that has happened before.
 *
 * @example
 *
 * ```ts
 * import { memoryBinder } from '@it-socks/testing'
 *
 * const { binder, connect } = memoryBinder()
 * const { connections } = await binder()
 * const peer = await connect({ host: '192.0.2.9', port: 20 })
 * for await (const tunnel of connections) {
 *   tunnel.remoteAddress // => { host: '192.0.2.9', port: 20 }
 *   break
 * }
 * peer.remoteAddress // => { host: '192.0.2.1', port: 4000 }
 * ```
 */
export const memoryBinder = ({
  address = { host: '192.0.2.1', port: 4000 }
}: MemoryBinderOptions = {}): MemoryBinder => {
  const asked: BinderOptions[] = []
  const open = new Set<Socket>()
  const waiting: Array<(socket: Socket) => void> = []

  return {
    asked,
    listening: () => open.size,
    async binder(options = {}) {
      const { signal = never } = options
      asked.push(options)
      signal.throwIfAborted()
      const forget = onAbort(signal, () => socket.binding.close())
      const socket = openSocket(address, () => {
        open.delete(socket)
        forget()
      })
      open.add(socket)
      for (const resolve of waiting.splice(0)) resolve(socket)
      return socket.binding
    },
    async connect(from) {
      const listener = [...open].at(-1) ?? (await new Promise<Socket>((resolve) => waiting.push(resolve)))
      const [near, far] = duplexPair({ addresses: [address, from] })
      listener.accept(near)
      return far
    }
  }
}

interface Socket {
  readonly binding: Binding
  readonly accept: (tunnel: MemoryDuplex) => void
}

const nobody = (): ClosedError => new ClosedError('nobody listens any more')
const finished: IteratorResult<Tunnel, void> = { done: true, value: undefined }

const openSocket = (address: Address, closed: () => void): Socket => {
  const backlog: MemoryDuplex[] = []
  const takers: Array<(result: IteratorResult<Tunnel, void>) => void> = []
  let open = true

  const close = (): void => {
    if (!open) return
    open = false
    for (const take of takers.splice(0)) take(finished)
    for (const tunnel of backlog.splice(0)) tunnel.abort(nobody())
    closed()
  }

  return {
    binding: {
      address,
      connections: {
        [Symbol.asyncIterator]: () => ({
          async next() {
            const value = backlog.shift()
            if (value !== undefined) return { done: false, value }
            return open ? new Promise((resolve) => takers.push(resolve)) : finished
          },
          async return() {
            close()
            return finished
          }
        })
      },
      close
    },
    accept(tunnel) {
      if (!open) return tunnel.abort(nobody())
      const take = takers.shift()
      if (take === undefined) backlog.push(tunnel)
      else take({ done: false, value: tunnel })
    }
  }
}

import { ClosedError, DeadlineError, parseAddress, unspecified, type Address } from '@it-socks/protocol'
import { limitTime, never, onAbort, withAddresses, type Cancellable, type Tunnel } from '@it-socks/stage'
import { candidatesOf } from './candidates.ts'
import { converse, inTime, type ThroughOptions } from './enter.ts'
import { reachable } from './reachable.ts'
import { settle } from './proxy.ts'

export interface BindOptions extends ThroughOptions {
  /**
   * Who is expected: `host:port`, IPv6 in brackets, or an object. Most proxies look at the host alone, and turn away all
   * others. Default: anybody (0.0.0.0:0), which some proxies refuse.
   */
  peer?: string | Address
}

export interface AcceptOptions extends Cancellable {
  /** How long to wait for the peer, in milliseconds. Default: `Infinity`, as long as the proxy does. */
  timeout?: number
}

/** A proxy that listens for us. */
export interface Listening {
  /** Where the peer can connect, to be told to it. */
  readonly address: Address
  /**
   * Waits for the peer, and resolves with the tunnel to it: `remoteAddress` is the peer's address, as the proxy says.
   * There is one peer: it may be called once, and where it fails, all is over.
   *
   * Rejects with a `RefusedError` where nobody came or the wrong one did, a `ProxyClosedError` where the proxy hangs up,
   * a `DeadlineError` after `timeout`, the signal's reason, or a `ClosedError` after `close` or an earlier `accept`.
   */
  accept(options?: AcceptOptions): Promise<Tunnel>
  /** Waits no longer, and closes the connection to the proxy. A tunnel that is there stays. */
  close(): void
}

/**
 * Has a SOCKS proxy listen for one connection (BIND, RFC 1928 sections 4 and 6, and SOCKS4): what active FTP does, where
 * the server connects to the client. `signal` and `timeout` are for the first reply, with the address; from then on there
 * are those of `accept`, and `close`. Who neither accepts nor closes has a connection open for as long as the proxy likes.
 *
 * The promise rejects as that of `connect` does.
 *
 * @example
 *
 * ```ts
 * import { bind } from '@it-socks/client'
 *
 * const receive = async (tell: (host: string, port: number) => void) => {
 *   const listening = await bind({ proxy: 'socks5h://127.0.0.1:1080', peer: 'ftp.example.com:20' })
 *   tell(listening.address.host, listening.address.port)
 *   return listening.accept({ timeout: 10_000 })
 * }
 * ```
 */
export const bind = async ({ proxy, peer = unspecified, ...options }: BindOptions): Promise<Listening> => {
  const settings = settle(proxy)
  const expected = typeof peer === 'string' ? parseAddress(peer) : peer
  const { dialect } = settings
  return inTime(options, settings, 'binding through the proxy', async (enter, signal) => {
    const [host] = await candidatesOf(expected.host, settings, { signal })
    const { bound, duplex } = await enter(dialect.ask({ command: 'bind', destination: { ...expected, host } }), signal)
    const address = reachable(bound, duplex.remoteAddress ?? settings.address)
    const owner = new AbortController()
    let accepting = false

    return {
      address,
      async accept({ signal: outer = never, timeout = Infinity } = {}) {
        if (accepting) throw new ClosedError('BIND takes one connection, and that was asked for before')
        accepting = true
        const forget = onAbort(outer, () => owner.abort(outer.reason))
        const limit = limitTime(owner.signal, timeout, () => new DeadlineError('waiting for the peer', timeout))
        try {
          const { bound: remoteAddress, duplex: rest } = await converse(duplex, dialect.accepted(), limit.signal)
          return withAddresses(rest, { localAddress: address, remoteAddress })
        } finally {
          limit.stop()
          forget()
        }
      },
      close() {
        const closed = new ClosedError('waiting for the peer was given up')
        owner.abort(closed)
        if (!accepting) duplex.abort?.(closed)
      }
    }
  })
}

import { dial as direct } from '@it-socks/net'
import { DeadlineError, ProxyUnreachableError, formatAddress, type Address } from '@it-socks/protocol'
import {
  cancellerOf,
  frames,
  handshake,
  limitTime,
  pipe,
  type ByteDuplex,
  type Cancellable,
  type Dial,
  type Granted,
  type Stage,
  type Tunnel
} from '@it-socks/stage'
import type { Proxy, ProxySettings } from './proxy.ts'

/** What everything that goes through a proxy takes. */
export interface ThroughOptions extends Cancellable {
  /** The proxy: a URL (see `parseProxy`) or an object. */
  proxy: string | URL | Proxy
  /** How long it may take, in milliseconds. Default: 30,000. */
  timeout?: number
  /** How the proxy itself is reached. Default: `dial()`, directly. */
  dial?: Dial
}

/** What the proxy granted. */
export interface Entrance {
  /** BND.ADDR and BND.PORT. */
  readonly bound: Address
  /** The connection to the proxy behind its reply, with every byte that came glued to it. */
  readonly duplex: ByteDuplex
}

/** Opens a connection to a proxy, says `stage` to it, and closes it again where that fails or `signal` aborts. */
export type Enter = (stage: Stage<{}, Granted>, signal: AbortSignal) => Promise<Entrance>

/** Does `work` with the way into the proxy, in time. `doing` is what to call it where it takes too long. */
export const inTime = async <T>(
  { timeout = 30_000, dial = direct(), ...by }: Omit<ThroughOptions, 'proxy'>,
  { address }: ProxySettings,
  doing: string,
  work: (enter: Enter, signal: AbortSignal) => Promise<T>
): Promise<T> => {
  const limit = limitTime(cancellerOf(by), timeout, () => new DeadlineError(doing, timeout))
  const enter: Enter = async (stage, signal) => {
    const connection = await reach(address, dial, signal)
    return converse(connection, stage, signal)
  }
  try {
    return await work(enter, limit.signal)
  } finally {
    limit.stop()
  }
}

const reach = async (proxy: Address, dial: Dial, signal: AbortSignal): Promise<Tunnel> => {
  try {
    return await dial(proxy, { signal })
  } catch (cause) {
    throw signal.aborted ? signal.reason : new ProxyUnreachableError(formatAddress(proxy), { cause })
  }
}

/** Says `stage` on a connection, which is closed where that fails or `signal` aborts. */
export const converse = async (
  connection: ByteDuplex,
  stage: Stage<{}, Granted>,
  signal: AbortSignal
): Promise<Entrance> => {
  const { context, duplex } = await pipe(
    connection,
    frames({ signal }),
    stage,
    // A proxy has nothing to read of a client that fails.
    handshake(connection, { linger: 0 })
  )
  return { bound: context.bound, duplex }
}

import { after } from './clock.ts'
import { run } from './course.ts'
import type { Bytes, ByteDuplex } from './duplex.ts'
import { cancelledBy, plain, type Handoff, type Seal, type Step } from './handoff.ts'
import type { Cancellation } from './cancellation.ts'
import { sinkOutlet, transportOutlet, type Outlet } from './outlet.ts'
import { transportOf, type Transport } from './transport.ts'

/** What a pipeline has come to. */
export interface Established<Context> {
  /** What its stages found out. */
  readonly context: Context
  /**
   * The connection from here on: every byte that no stage consumed, and what is written goes through the seal. The
   * connection itself, where it has a `transport` and its bytes are as they were.
   */
  readonly duplex: ByteDuplex
  /** What the pipeline is cancelled by. */
  readonly cancellation: Cancellation
  /** The same as a signal. */
  readonly signal: AbortSignal
}

export interface HandshakeOptions {
  /**
   * How long a refused peer may take to read the refusal and close, in milliseconds, before it is reset. Closing at once
   * would destroy the refusal on its way where the peer has sent more than was read. Default: 1000.
   */
  linger?: number
}

/**
 * The end of a pipeline: writes the stages' bytes to `connection` and resolves with what is left of it after the
 * handoff. Where a stage fails, the peer is told, the connection is closed and the stage's error comes out.
 *
 * @example
 *
 * ```ts
 * import { login, none } from '@it-socks/auth'
 * import { ask } from '@it-socks/command'
 * import { frames, handshake, pipe, type ByteDuplex } from '@it-socks/stage'
 *
 * const open = (proxy: ByteDuplex) =>
 *   pipe(
 *     proxy,
 *     frames(),
 *     login([none()]),
 *     ask({ command: 'connect', destination: { host: 'example.com', port: 80 } }),
 *     handshake(proxy)
 *   )
 * ```
 */
export const handshake =
  (connection: ByteDuplex, { linger = 1000 }: HandshakeOptions = {}) =>
  async <Context>(steps: AsyncIterable<Step<Context>>): Promise<Established<Context>> => {
    const transport = transportOf(connection)
    const outlet = transport === undefined ? sinkOutlet(connection) : transportOutlet(transport, connection)
    try {
      const handoff = await untilBroken(run(steps, outlet.say), outlet)
      return new Left(handoff, leftOf(connection, transport, handoff, outlet))
    } catch (error) {
      const closed = outlet.follow(nothing()).then(() => discard(connection.source))
      await within(linger, closed).catch(() => {})
      connection.abort?.(error)
      throw error
    }
  }

class Left<Context> implements Established<Context> {
  readonly context: Context
  readonly duplex: ByteDuplex
  readonly cancellation: Cancellation

  constructor(handoff: Handoff<Context>, duplex: ByteDuplex) {
    this.context = handoff.context
    this.duplex = duplex
    this.cancellation = cancelledBy(handoff)
  }

  get signal(): AbortSignal {
    return this.cancellation.signal
  }
}

/** The connection, from where the stages have left it. */
const leftOf = (
  connection: ByteDuplex,
  transport: Transport | undefined,
  { frames, seal }: Handoff<unknown>,
  outlet: Outlet
): ByteDuplex => {
  if (transport !== undefined && seal === plain && frames.source === connection.source) {
    const unread = frames.release()
    if (unread !== undefined) {
      transport.broken(undefined)
      if (unread.byteLength > 0) transport.unread(unread)
      return connection
    }
  }
  return {
    source: frames.rest(),
    sink: (source) => outlet.follow(seal === plain ? source : sealed(source, seal)),
    get localAddress() {
      return connection.localAddress
    },
    get remoteAddress() {
      return connection.remoteAddress
    },
    abort: (reason) => connection.abort?.(reason)
  }
}

/** The handoff, unless the connection breaks first: then nobody takes what the stages still hand over. */
const untilBroken = <Context>(handoff: Promise<Handoff<Context>>, outlet: Outlet): Promise<Handoff<Context>> =>
  new Promise((resolve, reject) => {
    let over = false
    let broken: { error: unknown } | undefined
    const handedOver = (handoff: Handoff<Context>): void => {
      over = true
      if (broken === undefined) resolve(handoff)
      else handoff.refuse(broken.error)
    }
    const failed = (error: unknown): void => {
      over = true
      reject(error)
    }
    handoff.then(handedOver, failed)
    outlet.broken((error) => {
      broken = { error }
      // It breaks in both directions: a stage that is reading has a name for that, and is to have the first word.
      if (!over) setTimeout(() => reject(error))
    })
  })

const nothing = async function* (): AsyncGenerator<Bytes, void> {}

const sealed = async function* (source: AsyncIterable<Bytes>, seal: Seal): AsyncGenerator<Bytes, void> {
  for await (const bytes of source) yield seal(bytes)
}

/** Reads on until the peer closes too. */
const discard = async (source: AsyncIterable<Bytes>): Promise<void> => {
  for await (const _ of source);
}

/** Settles as `promise` does, or after so many milliseconds. */
const within = (milliseconds: number, promise: Promise<void>): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = after(milliseconds, resolve)
    promise.then(resolve, reject).finally(stop)
  })

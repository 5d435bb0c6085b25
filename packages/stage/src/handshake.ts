import type { Bytes, ByteDuplex } from './duplex.ts'
import { isHandoff, plain, type Handoff, type Seal, type Step } from './handoff.ts'
import { openOutlet, type Outlet } from './outlet.ts'
import { after } from './signal.ts'

/** What a pipeline has come to. */
export interface Established<Context> {
  /** What its stages found out. */
  readonly context: Context
  /** The connection from here on: every byte that no stage consumed, and what is written goes through the seal. */
  readonly duplex: ByteDuplex
  /** The pipeline's signal. */
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
    const outlet = openOutlet()
    const sent = connection.sink(outlet.source)
    try {
      const { frames, seal, context, signal } = await untilBroken(converse(steps, outlet.say), sent)
      const duplex: ByteDuplex = {
        source: frames.rest(),
        sink(source) {
          outlet.follow(seal === plain ? source : sealed(source, seal))
          return sent
        },
        get localAddress() {
          return connection.localAddress
        },
        get remoteAddress() {
          return connection.remoteAddress
        },
        transport: seal === plain && frames.source === connection.source ? connection.transport : undefined,
        abort: (reason) => connection.abort?.(reason)
      }
      return { context, duplex, signal }
    } catch (error) {
      outlet.end()
      const closed = sent.then(() => discard(connection.source))
      await within(linger, closed).catch(() => {})
      connection.abort?.(error)
      throw error
    }
  }

/** Says what the stages say, up to their handoff. */
const converse = async <Context>(
  steps: AsyncIterable<Step<Context>>,
  say: Outlet['say']
): Promise<Handoff<Context>> => {
  for await (const step of steps) {
    if (isHandoff(step)) return step
    await say(step)
  }
  throw new Error('the pipeline ended without a handoff')
}

/** The handoff, unless the connection breaks first: then nobody takes what the stages still hand over. */
const untilBroken = <Context>(handoff: Promise<Handoff<Context>>, sent: Promise<void>): Promise<Handoff<Context>> =>
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
    sent.catch((error: unknown) => {
      broken = { error }
      // It breaks in both directions: a stage that is reading has a name for that, and is to have the first word.
      if (!over) setTimeout(() => reject(error))
    })
  })

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

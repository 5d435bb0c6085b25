import type { Cancellation } from './cancellation.ts'
import { after } from './clock.ts'
import { run } from './course.ts'
import type { Bytes, ByteDuplex } from './duplex.ts'
import { cancelledBy, plain, release, specimen, type Handoff, type Seal, type Step } from './handoff.ts'
import { sinkOutlet, transportOutlet, type Outlet } from './outlet.ts'
import type { Ending } from './run.ts'
import { transportOf, type Transport } from './transport.ts'
import { keepSpecimens } from './specimens.ts'
import { nothing } from './reader.ts'

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
  (connection: ByteDuplex, options: HandshakeOptions = {}) =>
  <Context>(steps: AsyncIterable<Step<Context>>): Promise<Established<Context>> =>
    new Promise((resolve, reject) => {
      whenEstablished(connection, options, steps, resolve, reject)
    })

/**
 * The same by callbacks, of which one is called, once: for ends of a pipeline that go on from there. Where `established`
 * throws, the connection is closed and `failed` is called after all.
 */
export const whenEstablished = <Context>(
  connection: ByteDuplex,
  { linger = 1000 }: HandshakeOptions,
  steps: AsyncIterable<Step<Context>>,
  established: (left: Established<Context>) => void,
  failed: (error: unknown) => void
): void => {
  new Handshake(connection, linger, established, failed).start(steps)
}

class Handshake<Context> implements Ending {
  readonly #connection: ByteDuplex
  readonly #linger: number
  readonly #established: (left: Established<Context>) => void
  readonly #failed: (error: unknown) => void
  readonly #transport: Transport | undefined
  readonly #outlet: Outlet
  /** Whether it has come to one of the two. */
  #isOver = false
  #broken: { readonly error: unknown } | undefined = undefined

  constructor(
    connection: ByteDuplex,
    linger: number,
    established: (left: Established<Context>) => void,
    failed: (error: unknown) => void
  ) {
    this.#connection = connection
    this.#linger = linger
    this.#established = established
    this.#failed = failed
    this.#transport = transportOf(connection)
    this.#outlet = this.#transport === undefined ? sinkOutlet(connection) : transportOutlet(this.#transport, connection)
  }

  start(steps: AsyncIterable<Step<Context>>): void {
    this.#outlet.broken((error) => this.#break(error))
    run(steps, this.#outlet.say, this)
  }

  handedOver(handoff: Handoff<Context>): void {
    // Nobody takes what the stages still hand over.
    if (this.#broken !== undefined) return release(handoff.refuse, this.#broken.error)
    this.#isOver = true
    try {
      this.#established(new Left(handoff, leftOf(this.#connection, this.#transport, handoff, this.#outlet)))
    } catch (error) {
      this.#fail(error)
    }
  }

  failed(error: unknown): void {
    if (!this.#isOver) this.#fail(error)
  }

  #break(error: unknown): void {
    this.#broken = { error }
    // It breaks in both directions: a stage that is reading has a name for that, and is to have the first word.
    if (!this.#isOver) setTimeout(() => this.failed(error))
  }

  #fail(error: unknown): void {
    this.#isOver = true
    this.#close(error).then(() => this.#failed(error), this.#failed)
  }

  async #close(error: unknown): Promise<void> {
    const closed = this.#outlet.follow(nothing).then(() => discard(this.#connection.source))
    await within(this.#linger, closed).catch(() => {})
    this.#connection.abort?.(error)
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

const nobody: ByteDuplex = { source: nothing, sink: async () => {} }
const ignore = (): void => {}
keepSpecimens(new Left(specimen, nobody), new Handshake(nobody, 0, ignore, ignore))

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

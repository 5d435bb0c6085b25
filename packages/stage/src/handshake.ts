import type { Bytes, ByteDuplex } from './duplex.ts'
import { isHandoff, plain, type Handoff, type Seal, type Step } from './handoff.ts'

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
   * How long a refused peer may take to close, in milliseconds, before it is reset. Closing at once would destroy the
   * refusal on its way where the peer has sent more than was read. Default: 1000.
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
    const handedOver = defer<Handoff<Context>>()
    const outlet = defer<AsyncIterable<Bytes>>()
    const sent = connection.sink(continued(outbound(steps, handedOver, outlet.promise)))
    // A connection breaks in both directions: a stage that was reading gives it a name, and is to have the first word.
    sent.catch((error: unknown) => setTimeout(() => handedOver.reject(error)))
    // Where it breaks, it may be that nobody waits at the outlet yet.
    outlet.promise.catch(() => {})
    try {
      const { frames, seal, context, signal } = await handedOver.promise
      const duplex: ByteDuplex = {
        source: frames.rest(),
        sink(source) {
          outlet.resolve(sealed(source, seal))
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
      outlet.reject(error)
      await sent.then(() => discard(connection.source, linger)).catch(() => {})
      connection.abort?.(error)
      throw error
    }
  }

interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

const defer = <T>(): Deferred<T> => {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((_resolve, _reject) => {
    resolve = _resolve
    reject = _reject
  })
  return { promise, resolve, reject }
}

/** All that the connection is to be sent: yields what the stages say, and returns what comes out of the outlet. */
const outbound = async function* <Context>(
  steps: AsyncIterable<Step<Context>>,
  handedOver: Deferred<Handoff<Context>>,
  outlet: Promise<AsyncIterable<Bytes>>
): AsyncGenerator<Bytes, AsyncIterable<Bytes>> {
  let handoff: Handoff<Context> | undefined
  try {
    for await (const step of steps) {
      if (isHandoff(step)) {
        handoff = step
        break
      }
      yield step
    }
    if (handoff === undefined) throw new Error('the pipeline ended without a handoff')
  } catch (error) {
    // What was said last, the refusal, is still to be flushed: end the stream, do not break it.
    handedOver.reject(error)
    return nothing
  }
  handedOver.resolve(handoff)
  return outlet.catch((error: unknown) => {
    // The connection broke while the last stages were still at work: nobody takes what they hand over.
    handoff.refuse(error)
    throw error
  })
}

const nothing: AsyncIterable<Bytes> = { [Symbol.asyncIterator]: () => ({ next: async () => finished }) }
const finished: IteratorResult<Bytes, void> = { done: true, value: undefined }

/** What a generator yields and then what it returned; by then nothing stands in between any more. */
const continued = (first: AsyncGenerator<Bytes, AsyncIterable<Bytes>>): AsyncIterable<Bytes> => {
  let second: AsyncIterator<Bytes> | undefined
  const nextOfFirst = async (): Promise<IteratorResult<Bytes>> => {
    const result = await first.next()
    if (result.done !== true) return result
    second = result.value[Symbol.asyncIterator]()
    return second.next()
  }
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => (second === undefined ? nextOfFirst() : second.next()),
      async return() {
        await (second === undefined ? first.return(nothing) : second.return?.())
        return finished
      }
    })
  }
}

const sealed = (source: AsyncIterable<Bytes>, seal: Seal): AsyncIterable<Bytes> =>
  seal === plain ? source : map(source, seal)

const map = async function* (source: AsyncIterable<Bytes>, transform: Seal): AsyncGenerator<Bytes, void> {
  for await (const bytes of source) yield transform(bytes)
}

/** Reads on until the peer closes too, for so many milliseconds at most. */
const discard = async (source: AsyncIterable<Bytes>, milliseconds: number): Promise<void> => {
  const { promise: expired, resolve: expire } = defer<void>()
  const timer = setTimeout(expire, milliseconds)
  const drained = (async () => {
    for await (const _ of source);
  })()
  await Promise.race([drained, expired]).finally(() => clearTimeout(timer))
}

import { authenticate, none } from '@it-socks/auth'
import { command, request, type Commanded, type CommandHandler } from '@it-socks/command'
import {
  frames,
  handshake,
  never,
  pipe,
  stage,
  type Authorized,
  type Bytes,
  type ByteDuplex,
  type Connected,
  type Permit,
  type Stage
} from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'

/** A handler of BIND, or a BIND under a deadline. */
export type BindHandler = CommandHandler<Commanded & Connected & Partial<Authorized>>

export interface ServeOptions {
  permit?: Permit | undefined
  after?: Stage<unknown, {}>
  signal?: AbortSignal
}

const nothing = stage<unknown, {}>(async function* () {
  return {}
})

/** The stages of a server that does BIND, up to the tunnel. */
export const bindSteps = (duplex: ByteDuplex, bind: BindHandler, options: ServeOptions = {}) => {
  const { permit, after = nothing, signal = never } = options
  const rules = stage<unknown, Partial<Authorized>>(async function* () {
    return permit === undefined ? {} : { permit }
  })
  return [
    frames({ signal, context: { connection: duplex } }),
    authenticate([none()]),
    request(),
    rules,
    command({ bind }),
    after
  ] as const
}

/** Serves one client that asks for BIND, up to the tunnel. */
export const serveBind = (duplex: ByteDuplex, bind: BindHandler, options?: ServeOptions) =>
  pipe(duplex, ...bindSteps(duplex, bind, options), handshake(duplex, { linger: 0 }))

export interface Promised<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
}

export const promised = <T>(): Promised<T> => {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((_resolve) => {
    resolve = _resolve
  })
  return { promise, resolve }
}

/** A client that expects 192.0.2.9 to connect, and listens until the connection ends, in whatever way. */
export const waitingClient = () => {
  const [far, near] = duplexPair()
  const heard: number[] = []
  const left = promised<void>()
  const told = promised<void>()
  const speak = async function* (): AsyncGenerator<Uint8Array> {
    yield hex`05 01 00  05 02 00 01 c0000209 0014`
    await left.promise
  }
  const listen = async (): Promise<void> => {
    for await (const bytes of far.source) {
      heard.push(...bytes.subarray())
      if (heard.length >= 12) told.resolve()
    }
  }
  const over = Promise.allSettled([far.sink(speak()), listen()])
  return {
    near,
    /** All that it heard, once the connection has ended. */
    async heard() {
      await over
      return Uint8Array.from(heard)
    },
    /** It has its first reply. */
    told: told.promise,
    leave: left.resolve,
    vanish: () => far.abort(new Error('gone'))
  }
}

/** How a connection ends, seen from its far end: without an error, or with which. */
export const ending = async ({ source }: { source: AsyncIterable<Bytes> }): Promise<unknown> => {
  try {
    for await (const _ of source);
    return 'half-close'
  } catch (error) {
    return error
  }
}

import { portable, sockets, type Engine } from '@it-socks/net'
import type { JoinOptions } from '@it-socks/relay'

/** A way to relay, as all of these tests go through it. */
export interface Way {
  readonly name: string
  readonly engine: Engine
  /** What `join` is to do with two connections of the engine. */
  readonly join: Pick<JoinOptions, 'engine'>
  /** Whether it learns of a reset by a side that it does not read. */
  readonly seesResets: boolean
  /** Whether its connections have transports, by which handshakes go. */
  readonly hasTransports: boolean
}

const required = process.env['IT_SOCKS_REQUIRE_INTEROP'] === '1'

const isUnsupported = (error: unknown): boolean =>
  (error as { code?: unknown } | undefined)?.code === 'ERR_SOCKS_UNSUPPORTED'

/** What only some machines have: nothing where this one cannot have it, unless it has to. */
export const supported = async <Module>(load: () => Promise<Module>): Promise<Module | undefined> => {
  try {
    return await load()
  } catch (error) {
    if (required || !isUnsupported(error)) throw error
    return undefined
  }
}

const kernel = async (load: () => Promise<Engine>): Promise<Way[]> => {
  const engine = await supported(load)
  if (engine === undefined) return []
  const join = engine.join === undefined ? {} : { engine: engine.join }
  return [{ name: engine.name, engine, join, seesResets: true, hasTransports: true }]
}

/** Ways to relay. Those of the kernel are there where this machine has them. */
export const ways: readonly Way[] = [
  { name: 'iterators', engine: portable, join: { engine: 'iterators' }, seesResets: false, hasTransports: true },
  { name: 'portable', engine: portable, join: {}, seesResets: false, hasTransports: true },
  { name: 'sockets', engine: sockets, join: {}, seesResets: false, hasTransports: false },
  ...(await kernel(async () => (await import('@it-socks/splice')).splice())),
  ...(await kernel(async () => (await import('@it-socks/epoll')).epoll()))
]

/** Those whose connections are their own: `splice()` has those of `portable`, as its package's tests say. */
export const engines: readonly Way[] = ways.filter(({ name }) => name !== 'iterators' && name !== 'splice')

// The loop of system calls has a descriptor of its own from the first that it watches on.
for (const { engine } of engines) {
  const first = engine.listen({ host: '127.0.0.1', port: 0 })
  await first.listening
  first.close()
}

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, onTestFinished } from 'vitest'
import { portable, type Engine, type Listener, type SocketDuplex } from '@it-socks/net'
import { type Address } from '@it-socks/protocol'
import type { ByteDuplex } from '@it-socks/stage'
import { openDescriptors, portOf, serving, socketPath, standstill } from '../../net/test/setup.ts'
import { ways } from '../../../test/engines/engines.ts'

const found = ways.find(({ name }) => name === 'epoll')?.engine

/** The engine of this package; on a machine that cannot have it, another one, for tests that do not run then. */
export const epoll: Engine = found ?? portable

/** Describes what is so of this engine alone. */
export const describeEpoll: typeof describe.skip = found === undefined ? describe.skip : describe

/** Whoever is to be told apart by nobody. */
export const engines: readonly Engine[] = found === undefined ? [portable] : [portable, found]

/** A connection: our end as a duplex of the engine's, and the peer's as a plain socket of Node's. */
export interface Connected {
  readonly ours: SocketDuplex
  readonly peer: Socket
}

/** Both ways to come to a connection, and the one kind that has no addresses. */
export type Kind = 'dialled' | 'accepted' | 'unix'
export const kinds: readonly Kind[] = ['dialled', 'accepted', 'unix']

export const take = async (listener: Listener): Promise<SocketDuplex> => {
  const { value } = await listener[Symbol.asyncIterator]().next()
  onTestFinished(() => value.abort(new Error('the test is over')))
  return value
}

const dialled = async (engine: Engine, host: string): Promise<Connected> => {
  const server = await serving({ host })
  const accepted = once(server, 'connection')
  const ours = (await engine.dial()({ host, port: portOf(server) })) as SocketDuplex
  onTestFinished(() => ours.abort(new Error('the test is over')))
  const [peer] = (await accepted) as [Socket]
  return { ours, peer }
}

const accepted = async (engine: Engine, at: Address | { path: string }): Promise<Connected> => {
  const listener = engine.listen(at)
  const endpoint = await listener.listening
  const peer = connect({ ...endpoint, allowHalfOpen: true })
  onTestFinished(() => void peer.destroy())
  await once(peer, 'connect')
  const ours = await take(listener)
  listener.close()
  return { ours, peer }
}

export const connected = async (engine: Engine, way: Kind = 'dialled', host = '127.0.0.1'): Promise<Connected> => {
  if (way === 'dialled') return dialled(engine, host)
  return accepted(engine, way === 'unix' ? await socketPath() : { host, port: 0 })
}

/** How many descriptors this process has open, when they have come to rest. */
export const descriptors = (): Promise<number> => standstill(() => openDescriptors().length)

/** Two connections of an engine, as a relay has them. */
export interface Between {
  readonly client: ByteDuplex
  readonly target: ByteDuplex
  readonly clientPeer: Socket
  readonly targetPeer: Socket
}

export const between = async (engine: Engine): Promise<Between> => {
  const { ours: client, peer: clientPeer } = await connected(engine, 'accepted')
  const { ours: target, peer: targetPeer } = await connected(engine, 'dialled')
  return { client, target, clientPeer, targetPeer }
}

// The loop of system calls has a descriptor of its own from the first that it watches on.
const first = epoll.listen({ host: '127.0.0.1', port: 0 })
await first.listening
first.close()

/** What nobody has caught until the test is over. */
export const uncaughtErrors = (): unknown[] => {
  const errors: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => errors.push(error))
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  })
  return errors
}

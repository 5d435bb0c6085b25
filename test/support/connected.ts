import { once } from 'node:events'
import type { Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import {
  isDescriptorTransport,
  type DescriptorTransport,
  type Endpoint,
  type Engine,
  type SocketDuplex
} from '@it-socks/net'
import { transportOf, type ByteDuplex } from '@it-socks/stage'
import { client, portOf, serving, socketPath } from './sockets.ts'

/** A connection: our end as a duplex of an engine’s, and the peer’s as a plain socket of Node’s. */
export interface Connected {
  readonly ours: SocketDuplex
  readonly peer: Socket
}

/** The next of those who come. It is aborted when the test is over. */
export const take = async <Connection extends ByteDuplex>(
  connections: AsyncIterable<Connection>
): Promise<Connection> => {
  const { value } = (await connections[Symbol.asyncIterator]().next()) as IteratorYieldResult<Connection>
  onTestFinished(() => value.abort?.(new Error('the test is over')))
  return value
}

export const dialled = async ({ dial }: Pick<Engine, 'dial'>, host = '127.0.0.1'): Promise<Connected> => {
  const server = await serving({ host })
  const connection = once(server, 'connection')
  const ours = (await dial()({ host, port: portOf(server) })) as SocketDuplex
  onTestFinished(() => ours.abort(new Error('the test is over')))
  const [peer] = (await connection) as [Socket]
  server.close()
  return { ours, peer }
}

export const accepted = async ({ listen }: Pick<Engine, 'listen'>, at: Endpoint): Promise<Connected> => {
  const listener = listen(at)
  const endpoint = await listener.listening
  const [ours, peer] = await Promise.all([take(listener), client(endpoint)])
  listener.close()
  return { ours, peer }
}

/** Both ways to come to a connection, and the one kind that has no addresses. */
export type Kind = 'dialled' | 'accepted' | 'unix'
export const kinds: readonly Kind[] = ['dialled', 'accepted', 'unix']

export const connected = async (engine: Engine, kind: Kind = 'dialled'): Promise<Connected> => {
  if (kind === 'dialled') return dialled(engine)
  return accepted(engine, kind === 'unix' ? await socketPath() : { host: '127.0.0.1', port: 0 })
}

/** The transport of a connection that has a descriptor. */
export const descriptorTransport = (duplex: ByteDuplex): DescriptorTransport => {
  const found = transportOf(duplex)
  if (found === undefined || !isDescriptorTransport(found)) throw new Error('it has no descriptor')
  return found
}

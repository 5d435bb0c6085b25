import type { Socket } from 'node:net'
import { describe } from 'vitest'
import { portable, type Engine } from '@it-socks/net'
import type { ByteDuplex } from '@it-socks/stage'
import { connected } from '../../../test/support/connected.ts'
import { ways } from '../../../test/engines/engines.ts'

const found = ways.find(({ name }) => name === 'epoll')?.engine

/** The engine of this package; on a machine that cannot have it, another one, for tests that do not run then. */
export const epoll: Engine = found ?? portable

/** Describes what is so of this engine alone; what is so of every engine is in `test/engines`. */
export const describeEpoll: typeof describe.skip = found === undefined ? describe.skip : describe

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

import type { Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { portable } from '@it-socks/net'
import { relayDescriptors, type End, type Relayed } from '@it-socks/splice'
import type { Flow } from '@it-socks/stage'
import { F_DUPFD_CLOEXEC, checked, fcntl } from '@it-socks/syscall'
import { connected, descriptorTransport } from '../../../test/support/connected.ts'

/** A connection: our end as a descriptor that is ours alone, and the peer's as the plain socket that it has. */
const detached = async (): Promise<{ fd: number; peer: Socket }> => {
  const { ours, peer } = await connected(portable, 'accepted')
  const at = descriptorTransport(ours)
  const fd = checked(fcntl(at.descriptor!, F_DUPFD_CLOEXEC, 0), 'fcntl')
  at.detach(() => {})
  return { fd, peer }
}

interface Outcome {
  readonly up: number
  readonly down: number
  /** What it failed with. */
  readonly error?: unknown
}

export interface Test {
  readonly client: Socket
  readonly target: Socket
  readonly relayed: Relayed
  readonly traffic: { up: number; down: number }
  /** What came of it. */
  readonly outcome: Promise<Outcome>
}

export interface Setup {
  readonly client?: Omit<End, 'fd'>
  readonly target?: Omit<End, 'fd'>
  /** Called of all that passes. */
  readonly passed?: Flow['passed']
  /** Has both descriptors before the relay does. */
  readonly before?: (client: number, target: number) => void
}

/** A relay of descriptors between two plain sockets. */
export const relay = async ({ client = {}, target = {}, passed, before }: Setup = {}): Promise<Test> => {
  const [one, other] = [await detached(), await detached()]
  const traffic = { up: 0, down: 0 }
  let relayed: Relayed
  before?.(one.fd, other.fd)
  const outcome = new Promise<Outcome>((resolve) => {
    relayed = relayDescriptors(
      { fd: one.fd, ...client },
      { fd: other.fd, ...target },
      {
        passed(direction, length) {
          traffic[direction] += length
          passed?.(direction, length)
        },
        ended: () => resolve(traffic),
        failed: (error) => resolve({ ...traffic, error })
      }
    )
  })
  onTestFinished(() => relayed.abort(new Error('the test is over')))
  return { client: one.peer, target: other.peer, relayed: relayed!, traffic, outcome }
}

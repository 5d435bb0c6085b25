import type { Flow } from '@it-socks/stage'
import { Relay } from './relay.ts'

/** One of the two sockets that a relay joins: a connected stream socket that does not block. */
export interface End {
  readonly fd: number
  /** What was read of it before, and is to be delivered first. Default: nothing. */
  readonly ahead?: readonly Uint8Array[] | undefined
  /** Whether its end was read, too. Default: no. */
  readonly ended?: boolean | undefined
  /** Whether there may be something to read, of a descriptor that is watched already. Default: yes. */
  readonly readable?: boolean | undefined
  /** Whether there may be urgent data among that. Default: no. */
  readonly urgent?: boolean | undefined
}

/** A relay that runs. */
export interface Relayed {
  /** Resets both sides, unless it is over. `flow` is told nothing more. */
  abort(reason: unknown): void
}

/**
 * Joins two sockets until both have ended, and closes them then. Their descriptors are the relay's from here on; one that
 * `loop` watches (with `relayedEvents`) is taken over as it is. What becomes of it is told by `flow`, the end of it never
 * before this has returned; where a side has failed, both have been reset by then.
 *
 * Messages go through one buffer; bytes in bulk go by splice(2) through a pipe and never reach this process. A relay has no
 * descriptors but the two while nothing is on its way.
 *
 * @example
 *
 * ```ts
 * import { relayDescriptors } from '@it-socks/splice'
 *
 * const join = (client: number, target: number) =>
 *   relayDescriptors({ fd: client }, { fd: target }, {
 *     passed: (direction, length) => console.log(direction, length),
 *     ended: () => console.log('both sides have ended'),
 *     failed: (error) => console.error(error)
 *   })
 * ```
 */
export const relayDescriptors = (client: End, target: End, flow: Flow): Relayed => {
  const relay = new Relay(client.fd, target.fd, flow)
  relay.start(client, target)
  return relay
}

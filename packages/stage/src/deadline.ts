import { DeadlineError } from '@it-socks/protocol'
import { limitTime } from './signal.ts'
import { takeTurn, type Stage } from './stage.ts'

/**
 * Gives a stage, or several that `compose` put together, a time to finish in. The clock starts with the handoff to the
 * stage and stops with the handoff from it; past it, the stage fails with a `DeadlineError` and refuses the peer.
 *
 * @param phase what to call it in the error
 * @param milliseconds how long it may take
 *
 * @example
 *
 * ```ts
 * import { authenticate, none } from '@it-socks/auth'
 * import { request } from '@it-socks/command'
 * import { compose, deadline } from '@it-socks/stage'
 *
 * const handshake = deadline('handshake', 10_000, compose(authenticate([none()]), request()))
 * ```
 */
export const deadline = <Needs, Adds>(
  phase: string,
  milliseconds: number,
  { turns }: Stage<Needs, Adds>
): Stage<Needs, Adds> => {
  const expired = (): Error => new DeadlineError(phase, milliseconds)
  return takeTurn({ kind: 'within', limit: (outer) => limitTime(outer, milliseconds, expired), turns })
}

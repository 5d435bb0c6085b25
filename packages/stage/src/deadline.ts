import { DeadlineError } from '@it-socks/protocol'
import { isHandoff, type Handoff, type Step } from './handoff.ts'
import { limitTime, type TimeLimit } from './signal.ts'
import type { Stage } from './stage.ts'

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
  stage: Stage<Needs, Adds>
): Stage<Needs, Adds> =>
  async function* <Context extends Needs>(steps: AsyncIterable<Step<Context>>) {
    let limit: TimeLimit | undefined
    const started = async function* (): AsyncGenerator<Step<Context>> {
      for await (const step of steps) {
        if (isHandoff(step)) {
          limit = limitTime(step.signal, milliseconds, () => new DeadlineError(phase, milliseconds))
          yield { ...step, signal: limit.signal }
        } else yield step
      }
    }
    const stopped = (handoff: Handoff<Context & Adds>): Handoff<Context & Adds> => {
      limit!.stop()
      return { ...handoff, signal: limit!.outer }
    }
    try {
      for await (const step of stage(started())) yield isHandoff(step) ? stopped(step) : step
    } finally {
      limit?.stop()
    }
  }

import type { StageBody } from './body.ts'
import { goOn } from './course.ts'
import type { Step } from './handoff.ts'
import type { Turn, Turns } from './turn.ts'

/** A step of a pipeline that needs a context and adds to it. */
export interface Stage<Needs, Adds> extends Turns {
  <Context extends Needs>(steps: AsyncIterable<Step<Context>>): AsyncGenerator<Step<Context & Adds>, void>
  /** Never there at run time: lets `compose` see what a stage needs and adds. */
  readonly types?: { needs: (needs: Needs) => void; adds: Adds }
}

/** Makes a stage of its turns: passes on the bytes of earlier stages, and takes the turns on their handoff. */
export const takeTurn = <Needs, Adds>(...turns: readonly Turn[]): Stage<Needs, Adds> => {
  const pass = <Context extends Needs>(
    steps: AsyncIterable<Step<Context>>
  ): AsyncGenerator<Step<Context & Adds>, void> => goOn<Adds, Context>(steps, turns)
  return Object.assign(pass, { turns })
}

/**
 * Makes a stage of its body: passes on the bytes of earlier stages, runs the body on their handoff, and hands over with
 * what it returned. Where the body throws or the signal aborts, `refuse` speaks to the peer and the error goes on.
 *
 * @example
 *
 * ```ts
 * import { RefusedError } from '@it-socks/protocol'
 * import { stage, type Requested } from '@it-socks/stage'
 *
 * /** Refuses destinations outside `hosts`. *\/
 * const only = (hosts: Set<string>) =>
 *   stage<Requested, {}>(async function* ({ context }) {
 *     if (!hosts.has(context.request.destination.host)) throw new RefusedError('not-allowed')
 *     return {}
 *   })
 * ```
 */
export const stage = <Needs, Adds>(body: StageBody<Needs, Adds>): Stage<Needs, Adds> => takeTurn({ kind: 'add', body })

/**
 * A stage that says nothing and adds nothing: it only looks at the context, for logs and events.
 *
 * @example
 *
 * ```ts
 * import { observe, type Requested } from '@it-socks/stage'
 *
 * const logRequest = observe<Requested>(({ request }) => console.log(request.command, request.destination.host))
 * ```
 */
export const observe = <Needs>(look: (context: Needs) => void): Stage<Needs, {}> => takeTurn({ kind: 'look', look })

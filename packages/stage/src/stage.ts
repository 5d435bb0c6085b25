import { runBody, type StageBody } from './body.ts'
import { goOn, type Say, type Turn } from './course.ts'
import type { Handoff, Step } from './handoff.ts'

/** A step of a pipeline that needs a context and adds to it. */
export interface Stage<Needs, Adds> {
  <Context extends Needs>(steps: AsyncIterable<Step<Context>>): AsyncGenerator<Step<Context & Adds>, void>
  /** The part that is its own: what `compose` and `deadline` build on. */
  readonly turn: Turn<Needs, Adds>
  /** Never there at run time: lets `compose` see what a stage needs and adds. */
  readonly types?: { needs: (needs: Needs) => void; adds: Adds }
}

/** Makes a stage of its turn: passes on the bytes of earlier stages, and takes the turn on their handoff. */
export const takeTurn = <Needs, Adds>(turn: Turn<Needs, Adds>): Stage<Needs, Adds> => {
  const pass = <Context extends Needs>(
    steps: AsyncIterable<Step<Context>>
  ): AsyncGenerator<Step<Context & Adds>, void> => goOn<Needs, Adds, Context>(steps, turn)
  return Object.assign(pass, { turn })
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
export const stage = <Needs, Adds>(body: StageBody<Needs, Adds>): Stage<Needs, Adds> =>
  takeTurn(<Context extends Needs>(handoff: Handoff<Context>, say: Say) =>
    runBody<Context, Needs, Adds>(body, handoff, say)
  )

const nothing: object = {}

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
export const observe = <Needs>(look: (context: Needs) => void): Stage<Needs, {}> =>
  stage<Needs, {}>(({ context }) => {
    look(context)
    return nothing
  })

import { ClosedError } from '@it-socks/protocol'
import { goOn, type Say, type Turn } from './course.ts'
import type { Bytes } from './duplex.ts'
import { cancelledBy, handoffOf, type Handoff, type Step } from './handoff.ts'
import { watchAbort } from './signal.ts'

/** What a stage may replace for all stages after it, beside adding to the context. */
export type Replacements = Partial<Pick<Handoff<unknown>, 'frames' | 'seal' | 'refuse'>>

/**
 * What an author writes: an async generator that reads from `frames`, yields bytes for the peer and returns what it
 * adds to the context. The names `frames`, `seal` and `refuse` are not added but replace those of the handoff. It says
 * no by throwing.
 */
export type StageBody<Needs, Adds> = (handoff: Handoff<Needs>) => AsyncGenerator<Bytes, Adds & Replacements, void>

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
  takeTurn(async (handoff, say) => {
    const running = body(handoff)
    const { race, release } = watchAbort(cancelledBy(handoff))
    try {
      for (;;) {
        const { done, value } = await race(running.next())
        if (done === true) return extend(handoff, value)
        const room = say(handoff.seal(value))
        if (room !== undefined) await room
      }
    } catch (error) {
      running.return(undefined as never).catch(() => {})
      return await fail(handoff, error, say)
    } finally {
      release()
    }
  })

/** Tells the peer no, where there is something to say and somebody to say it to, and fails. */
const fail = async (handoff: Handoff<unknown>, error: unknown, say: Say): Promise<never> => {
  const refusal = handoff.refuse(error)
  if (refusal !== undefined) await say(handoff.seal(refusal))
  throw error
}

const extend = <Context, Adds>(
  handoff: Handoff<Context>,
  added: Adds & Replacements
): Handoff<Context & Adds> => {
  if (Object.keys(added).length === 0) return handoff as Handoff<Context & Adds>
  const { frames = handoff.frames, seal = handoff.seal, refuse = handoff.refuse } = added
  const context = { ...handoff.context, ...withoutReplacements<Adds>(added) } as Context & Adds
  return handoffOf({ frames, seal, refuse, context }, cancelledBy(handoff))
}

const withoutReplacements = <Adds>(added: Adds & Replacements): Adds => {
  if (!('refuse' in added || 'frames' in added || 'seal' in added)) return added
  const { frames: _f, seal: _s, refuse: _r, ...adds } = added
  return adds as Adds
}

/**
 * A stage that says nothing: it adds to the context what it makes of it, at once, or throws, as a body does.
 *
 * @example
 *
 * ```ts
 * import { derive, type Requested } from '@it-socks/stage'
 *
 * const secure = derive<Requested, { secure: boolean }>(({ request }) => ({ secure: request.destination.port === 443 }))
 * ```
 */
export const derive = <Needs, Adds>(make: (context: Needs) => Adds & Replacements): Stage<Needs, Adds> =>
  takeTurn((handoff, say) => {
    try {
      const cancel = cancelledBy(handoff)
      if (cancel.aborted) throw cancel.reason
      return extend(handoff, make(handoff.context))
    } catch (error) {
      return fail(handoff, error, say)
    }
  })

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
  derive<Needs, {}>((context) => {
    look(context)
    return nothing
  })

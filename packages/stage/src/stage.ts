import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from './duplex.ts'
import { isHandoff, type Handoff, type Step } from './handoff.ts'
import { watchAbort } from './signal.ts'

/** What a stage may replace for all stages after it, beside adding to the context. */
export type Replacements = Partial<Pick<Handoff<unknown>, 'frames' | 'seal' | 'refuse'>>

/**
 * What an author writes: an async generator that reads from `frames`, yields bytes for the peer and returns what it
 * adds to the context. The names `frames`, `seal` and `refuse` are not added but replace those of the handoff. It says
 * no by throwing.
 */
export type StageBody<Needs, Adds> = (handoff: Handoff<Needs>) => AsyncGenerator<Bytes, Adds & Replacements, void>

/**
 * What a stage does with the handoff: yields bytes for the peer, sealed, and returns the handoff for the next stage. It
 * has refused the peer by the time it throws.
 */
export type Turn<Needs, Adds> = <Context extends Needs>(
  handoff: Handoff<Context>
) => AsyncGenerator<Bytes, Handoff<Context & Adds>, void>

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
  const pass = async function* <Context extends Needs>(
    steps: AsyncIterable<Step<Context>>
  ): AsyncGenerator<Step<Context & Adds>, void> {
    for await (const step of steps) {
      if (isHandoff(step)) yield yield* turn(step)
      else yield step
    }
  }
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
  takeTurn(async function* (handoff) {
    const running = body(handoff)
    const { race, release } = watchAbort(handoff.signal)
    let settled = false
    try {
      for (;;) {
        const { done, value } = await race(running.next())
        if (done === true) {
          settled = true
          return extend(handoff, value)
        }
        yield handoff.seal(value)
      }
    } catch (error) {
      settled = true
      running.return(undefined as never).catch(() => {})
      const refusal = handoff.refuse(error)
      if (refusal !== undefined) yield handoff.seal(refusal)
      throw error
    } finally {
      release()
      // Nobody listens any more: the client went away while the body was at a yield.
      if (!settled) {
        handoff.refuse(new ClosedError())
        running.return(undefined as never).catch(() => {})
      }
    }
  })

const extend = <Context, Adds>(
  handoff: Handoff<Context>,
  { frames, seal, refuse, ...adds }: Adds & Replacements
): Handoff<Context & Adds> => ({
  frames: frames ?? handoff.frames,
  seal: seal ?? handoff.seal,
  refuse: refuse ?? handoff.refuse,
  signal: handoff.signal,
  context: { ...handoff.context, ...adds } as Context & Adds
})

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
  stage<Needs, {}>(async function* ({ context }) {
    look(context)
    return {}
  })

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

/** A step of a pipeline that needs a context and adds to it. */
export interface Stage<Needs, Adds> {
  <Context extends Needs>(steps: AsyncIterable<Step<Context>>): AsyncGenerator<Step<Context & Adds>, void>
  /** Never there at run time: lets `compose` see what a stage needs and adds. */
  readonly types?: { needs: (needs: Needs) => void; adds: Adds }
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
  async function* <Context extends Needs>(steps: AsyncIterable<Step<Context>>) {
    for await (const step of steps) {
      if (!isHandoff(step)) {
        yield step
        continue
      }
      const running = body(step)
      const { race, release } = watchAbort(step.signal)
      let extended: Handoff<Context & Adds> | undefined
      let failed = false
      try {
        while (extended === undefined) {
          const { done, value } = await race(running.next())
          if (done === true) extended = extend(step, value)
          else yield step.seal(value)
        }
      } catch (error) {
        failed = true
        const refusal = step.refuse(error)
        if (refusal !== undefined) yield step.seal(refusal)
        throw error
      } finally {
        release()
        if (extended === undefined) {
          // An abort abandoned the body, or nobody listens any more: the client went away.
          if (!failed) step.refuse(new ClosedError())
          running.return(undefined as never).catch(() => {})
        }
      }
      yield extended
    }
  }

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

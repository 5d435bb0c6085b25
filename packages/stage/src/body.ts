import type { Bytes } from './duplex.ts'
import type { Handoff } from './handoff.ts'
import type { Say } from './say.ts'

/** What a stage may replace for all stages after it, beside adding to the context. */
export interface Replacements extends Partial<Pick<Handoff<unknown>, 'frames' | 'seal' | 'refuse'>> {
  /**
   * Said last, sealed as all that the body says, when what it returned is in force: where it cannot be said, the `refuse`
   * of the same return is told. For who hands over something that is open: a tunnel, with the reply that says so.
   */
  readonly answer?: Bytes
}

/** A body that speaks: it yields bytes for the peer and returns what it adds to the context. */
export type Speaking<Adds> = AsyncGenerator<Bytes, Adds & Replacements, void>

/**
 * What an author writes: an async generator that reads from `frames`, yields bytes for the peer and returns what it
 * adds to the context. Where it has nothing to clean up an async function may do as well, which says bytes by `say` and waits
 * for what that returns; where it need not wait, a function. The names `frames`, `seal`, `refuse` and `answer` are not added
 * but replace those of the handoff. It says no by throwing.
 */
export type StageBody<Needs, Adds> = (
  handoff: Handoff<Needs>,
  say: Say
) => Speaking<Adds> | Promise<Adds & Replacements> | (Adds & Replacements)

/** Whether a body is one that speaks: whoever calls one from another has to `yield*` that. */
export const isSpeaking = <Adds>(body: ReturnType<StageBody<never, Adds>>): body is Speaking<Adds> =>
  Symbol.asyncIterator in (body as object)

import type { StageBody } from './body.ts'
import type { Cancellation } from './cancellation.ts'
import type { Say } from './say.ts'
import type { Handoff } from './handoff.ts'
import type { TimeLimit } from './signal.ts'

/** What a stage consists of. It is data: whoever runs a pipeline takes the turns of all its stages, one after the other. */
export type Turn =
  /** Only looks at the context. */
  | { readonly kind: 'look'; readonly look: (context: never) => void }
  /** Adds to the handoff. */
  | { readonly kind: 'add'; readonly body: StageBody<never, unknown> }
  /** Sees whose turns come next, before those that are ahead. */
  | { readonly kind: 'choose'; readonly body: Choice<never, Turns> }
  /** Takes turns of its own, which have a limit of time. */
  | { readonly kind: 'within'; readonly limit: (outer: Cancellation) => TimeLimit; readonly turns: readonly Turn[] }

/** Turns in a row: every stage has some. */
export interface Turns {
  readonly turns: readonly Turn[]
}

/** Comes to who goes on. It may speak, wait, and say no by throwing, as the body of a stage. */
export type Choice<Needs, Chosen> = (handoff: Handoff<Needs>, say: Say) => Chosen | Promise<Chosen>

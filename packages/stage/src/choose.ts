import { takeTurn, type Stage } from './stage.ts'
import type { Choice } from './turn.ts'

/**
 * A stage that looks at the handoff and chooses the stage that goes on with it. It adds nothing of its own; choosing, it
 * may read, speak by `say`, and say no by throwing.
 *
 * @example
 *
 * ```ts
 * import { choose, type Authenticated, type Stage } from '@it-socks/stage'
 *
 * const byUser = (users: Record<string, Stage<Authenticated, {}>>, others: Stage<Authenticated, {}>) =>
 *   choose<Authenticated, {}>(({ context }) => users[context.identity.username ?? ''] ?? others)
 * ```
 */
export const choose = <Needs, Adds>(body: Choice<Needs, Stage<Needs, Adds>>): Stage<Needs, Adds> =>
  takeTurn({ kind: 'choose', body })

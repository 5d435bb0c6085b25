import type { Replacements } from './body.ts'
import type { Cancellation } from './cancellation.ts'
import { handoffOf, type Handoff } from './handoff.ts'

/** The handoff with what a body has come to; the same one where that is nothing. The one before, and its context, stay as they are. */
export const extend = (
  handoff: Handoff<unknown>,
  added: Replacements,
  cancellation: Cancellation
): Handoff<unknown> => {
  let { frames, context, seal, refuse } = handoff
  for (const name in added) {
    switch (name) {
      case 'frames':
        frames = added.frames ?? frames
        break
      case 'seal':
        seal = added.seal ?? seal
        break
      case 'refuse':
        refuse = added.refuse ?? refuse
        break
      case 'answer':
        break
      default:
        // No spread: of contexts of many shapes that takes a quarter longer, here and on Node 24.
        if (context === handoff.context) context = Object.assign({}, context)
        ;(context as Record<string, unknown>)[name] = (added as Record<string, unknown>)[name]
    }
  }
  const isSame =
    context === handoff.context && frames === handoff.frames && seal === handoff.seal && refuse === handoff.refuse
  return isSame ? handoff : handoffOf({ frames, context, seal, refuse }, cancellation)
}

import { inspect } from 'node:util'
import { AuthenticationError, ClosedError, RuleError, SocksError } from '@it-socks/protocol'
import type { SessionRecord } from '../log/record.ts'

/** How a session ended, for the log. */
type Outcome = Pick<SessionRecord, 'outcome' | 'reply' | 'rule' | 'code' | 'reason'>

/**
 * Names what a session ended of.
 *
 * @param refused whether the client is told of a failure at this point by a reply
 */
export const outcomeOf = (cause: unknown, refused: boolean): Outcome => {
  if (cause === undefined) return { outcome: 'ok' }
  if (!(cause instanceof Error)) return { outcome: 'Error', reason: inspect(cause) }
  const { name, message, code } = cause as NodeJS.ErrnoException
  const known = cause instanceof SocksError
  return {
    outcome: known ? name : (code ?? name),
    // A connection that is closed from here is reset without a word.
    ...(known && refused && !(cause instanceof ClosedError) && { reply: cause.reply }),
    ...(cause instanceof RuleError && { rule: cause.rule }),
    ...(code !== undefined && { code }),
    reason:
      cause instanceof AuthenticationError && cause.cause instanceof Error
        ? `${message}: ${cause.cause.message}`
        : message
  }
}

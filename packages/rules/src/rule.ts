import type { Address, CommandName } from '@it-socks/protocol'
import type { Identity } from '@it-socks/stage'

/** What is to be judged: as much of it as is known yet. */
export interface Attempt {
  readonly command: CommandName
  readonly identity: Identity
  /** The client's address. One that has none, on a unix socket for example, counts as on loopback. */
  readonly client?: Address | undefined
  /** Where the client wants to go, in its own words. Missing where that is not known yet. */
  readonly destination?: Address | undefined
  /** The IP address that the destination stands for. Missing before it is resolved. */
  readonly ip?: string | undefined
}

export type Verdict = 'allow' | 'deny'

/**
 * A rule. `parseRule` makes one of words; one of your own is an object.
 *
 * @example
 *
 * ```ts
 * import type { Rule } from '@it-socks/rules'
 *
 * const isNight = () => new Date().getHours() < 6
 *
 * const atNight: Rule = { name: 'deny at night', verdict: 'deny', matches: isNight }
 * ```
 */
export interface Rule {
  /** What logs and errors call it. */
  readonly name: string
  /** What becomes of an attempt that matches. */
  readonly verdict: Verdict
  /** Whether the rule is about an attempt; `undefined` where that takes the IP address, and it is not known yet. */
  matches(attempt: Attempt): boolean | undefined
}

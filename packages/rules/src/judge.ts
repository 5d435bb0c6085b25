import type { Attempt, Rule, Verdict } from './rule.ts'

/** What rules say of an attempt. */
export interface Judgement {
  /** `undefined`: that depends on the IP address. */
  readonly verdict: Verdict | undefined
  /** The name of the rule that says so; where it depends, of the first that may deny. Missing where no rule says it. */
  readonly rule?: string
}

/**
 * Judges an attempt: the first rule that matches has the word. While the IP address is not known, rules that are about it
 * may match or not; where the verdict is the same whichever of them do, it is given at once, so that nobody needs to look
 * up a name for an attempt that is denied anyway.
 *
 * @param otherwise what becomes of an attempt that no rule matches; default: `allow`
 *
 * @example
 *
 * ```ts
 * import { judge, parseRules, type Attempt } from '@it-socks/rules'
 *
 * const rules = parseRules(`
 *   deny to 192.0.2.0/24
 *   allow to example.com port 443
 * `)
 * const attempt: Attempt = {
 *   command: 'connect',
 *   identity: { method: 'none' },
 *   destination: { host: 'www.example.com', port: 443 }
 * }
 *
 * judge(rules, attempt) // => { verdict: undefined, rule: 'deny to 192.0.2.0/24' }
 * judge(rules, { ...attempt, ip: '192.0.2.1' }) // => { verdict: 'deny', rule: 'deny to 192.0.2.0/24' }
 * judge(rules, { ...attempt, ip: '198.51.100.1' }) // => { verdict: 'allow', rule: 'allow to example.com port 443' }
 * judge(rules, { ...attempt, destination: { host: 'example.org', port: 443 } }, 'deny') // => { verdict: 'deny' }
 * ```
 */
export const judge = (rules: readonly Rule[], attempt: Attempt, otherwise: Verdict = 'allow'): Judgement => {
  let mayAllow = false
  let mayDeny: string | undefined
  for (const rule of rules) {
    const match = rule.matches(attempt)
    if (match === true) return decide(rule.verdict, rule.name, mayAllow, mayDeny)
    if (match === undefined && rule.verdict === 'allow') mayAllow = true
    if (match === undefined && rule.verdict === 'deny') mayDeny ??= rule.name
  }
  return decide(otherwise, undefined, mayAllow, mayDeny)
}

/** The last word, unless rules before it might have another. */
const decide = (
  verdict: Verdict,
  rule: string | undefined,
  mayAllow: boolean,
  mayDeny: string | undefined
): Judgement => {
  if (verdict === 'deny') return mayAllow ? judgement(undefined, mayDeny ?? rule) : judgement(verdict, rule)
  return mayDeny === undefined ? judgement(verdict, rule) : judgement(undefined, mayDeny)
}

const judgement = (verdict: Verdict | undefined, rule: string | undefined): Judgement =>
  rule === undefined ? { verdict } : { verdict, rule }

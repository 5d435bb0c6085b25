import { ConfigurationError } from '@it-socks/protocol'
import type { Rule } from '../rule.ts'
import { parseRule } from './parse-rule.ts'

/**
 * Reads a file of rules: one a line, as {@link parseRule} does; empty lines and comments (`#`) do not count.
 *
 * @throws {ConfigurationError} with the number of the line that is not understood
 *
 * @example
 *
 * ```ts
 * import { parseRules } from '@it-socks/rules'
 *
 * const rules = parseRules(`
 *   # The database is for alice.
 *   allow user alice to db.example.com port 5432
 *   deny everything
 * `)
 *
 * rules.map(({ name }) => name)
 * // => ['allow user alice to db.example.com port 5432', 'deny everything']
 * ```
 */
export const parseRules = (text: string): Rule[] =>
  text.split(/\r\n|\r|\n/).flatMap((line, index) => (/^\s*(?:#|$)/.test(line) ? [] : [parseLine(line, index + 1)]))

const parseLine = (line: string, number: number): Rule => {
  try {
    return parseRule(line)
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause
    throw new ConfigurationError(`line ${number}: ${cause.message}`, { cause })
  }
}

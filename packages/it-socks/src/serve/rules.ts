import { ConfigurationError } from '@it-socks/protocol'
import { parseRule, type Rule, type Verdict } from '@it-socks/rules'
import type { Option } from 'commander'
import { UsageError } from '../failure.ts'
import { adding } from '../options/option.ts'
import { readText } from './read-text.ts'

/** A rule, or where there are some. */
export type RuleSource = Rule | { readonly path: string }

// What does not start like a rule is something else, a password perhaps, and not repeated.
const isRule = /^\s*(?:everything|connect|bind|udp|resolve(?:-ptr)?|user|by|from|to|port)\b/i
const isLine = /^\s*(?:allow|deny)\b/i

/** `--allow` or `--deny`; adds to `rules`. */
export const ruleOption = (rules: RuleSource[], verdict: Verdict, description: string): Option =>
  adding(rules, `--${verdict} <rule>`, description, (text) => {
    if (!isRule.test(text))
      throw new UsageError('takes a rule: "everything", "to 10.0.0.0/8 port 80, 443", "user bob" …')
    return readRule(`${verdict} ${text}`)
  })

/** The rules, with those in files in the place of the files. @throws {UsageError} */
export const readRules = async (sources: readonly RuleSource[]): Promise<Rule[]> => {
  const read = await Promise.all(sources.map(async (source) => ('path' in source ? readFile(source.path) : [source])))
  return read.flat()
}

const readFile = async (path: string): Promise<Rule[]> => {
  const lines = (await readText('--rules', path)).split(/\r?\n/)
  return lines.flatMap((line, index) => {
    if (/^\s*(?:#|$)/.test(line)) return []
    try {
      if (!isLine.test(line)) throw new UsageError('takes lines that start with allow or deny')
      return [readRule(line)]
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      throw new UsageError(`--rules ${error.message}: ${path}, line ${index + 1}`, { cause: error })
    }
  })
}

const readRule = (text: string): Rule => {
  try {
    return parseRule(text)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new UsageError(error.message, { cause: error })
  }
}

import { ConfigurationError } from '@it-socks/protocol'
import type { Rule, Verdict } from '../rule.ts'
import { every, some } from '../truth.ts'
import { commandWords, keywords, partNames, readChoice, reserved, type Choice, type PartName } from './parts.ts'
import { show, wordsOf, type Word } from './words.ts'

/**
 * Reads a rule that reads aloud:
 *
 *     allow|deny [command, …] [user name, …] [by method, …] [from where, …] [to where, …] [port n, n-m, …]
 *     allow|deny everything
 *
 * - Parts come in any order, each once. A rule matches what all of its parts match.
 * - Between alternatives goes a comma or `or`. A part matches what one of its alternatives matches.
 * - The commands are `connect`, `bind`, `udp`, `resolve`, `resolve-ptr`.
 * - A user is compared to the letter. A name with spaces, or one that means something here, goes in double quotes, as a
 *   JSON string.
 * - A method is the one by which the client authenticated: `none`, `username/password`, `socks4`, one of your own.
 * - Where: an IP address, a network (`10.0.0.0/8`), `loopback` (or `localhost`), `private` (see {@link isPrivate}),
 *   `anywhere`; behind `to` also a domain. `example.com` is that name and all below it, `*.example.com` or `.example.com`
 *   only those below it; a name of one label ends with a dot, `printer.`.
 * - A port is about CONNECT and UDP: the other commands reach none.
 * - A `#` before a word starts a comment.
 *
 * A domain matches the name that the client asks for, whatever it resolves to; a request for an IP address has no name. A
 * network matches the address that is asked for or resolved. Where a rule denies, a network also matches the IPv4 address
 * in an IPv6 one (NAT64, 6to4 …), and `loopback` and `private` the name `localhost`; where it allows, only the address.
 *
 * The rule's name is its text, in one form.
 *
 * @throws {ConfigurationError} which says what was not understood, and what could be meant
 *
 * @example
 *
 * ```ts
 * import { parseRule } from '@it-socks/rules'
 *
 * const rule = parseRule('deny udp or bind to 192.0.2.7 or Example.com from 10.0.0.0/8 user alice, "Bob B."')
 *
 * rule.name // => 'deny udp, bind user alice, "Bob B." from 10.0.0.0/8 to 192.0.2.7, example.com'
 * ```
 */
export const parseRule = (text: string): Rule => {
  try {
    return readRule(wordsOf(text))
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause
    throw new ConfigurationError(`cannot read the rule ${show(text.trim())}: ${cause.message}`, { cause })
  }
}

const readRule = ([first, ...words]: readonly Word[]): Rule => {
  const verdict = keyword(first)
  if (verdict !== 'allow' && verdict !== 'deny') throw new ConfigurationError('a rule starts with "allow" or "deny"')
  const parts = readParts(words, verdict)
  checkPorts(parts)
  const conditions = partNames.flatMap((name) => parts.get(name) ?? [])
  return {
    name: [verdict, ...(conditions.length === 0 ? ['everything'] : conditions.map(({ text }) => text))].join(' '),
    verdict,
    matches: (attempt) => every(conditions, ({ choices }) => some(choices, (choice) => choice.matches(attempt)))
  }
}

/** A part of a rule. */
interface Condition {
  readonly text: string
  readonly choices: readonly Choice[]
}

const readParts = (words: readonly Word[], verdict: Verdict): Map<PartName, Condition> => {
  const parts = new Map<PartName, Condition>()
  if (words.length === 0) throw new ConfigurationError(`${verdict} what? "${verdict} everything" is a rule`)
  if (words.length === 1 && keyword(words[0]) === 'everything') return parts
  let rest = words
  while (rest.length > 0) {
    const name = partName(rest[0]!)
    if (parts.has(name)) throw new ConfigurationError(`a second ${describe(name)}: between alternatives goes a comma`)
    const taken = takeChoices(name, name === 'command' ? rest : rest.slice(1))
    const choices = taken.words.map((word) => readChoice[name](word, verdict))
    const list = choices.map(({ text }) => text).join(', ')
    parts.set(name, { choices, text: name === 'command' ? list : `${name} ${list}` })
    rest = taken.rest
  }
  return parts
}

const partName = (word: Word): PartName => {
  const text = keyword(word) ?? ''
  if (commandWords.includes(text)) return 'command'
  const name = keywords.get(text)
  if (name !== undefined) return name
  if (text === 'everything') throw new ConfigurationError('"everything" stands alone, for it has no parts')
  const starts = [...commandWords, ...keywords.keys()].join(', ')
  const list = 'between alternatives goes a comma or "or"'
  throw new ConfigurationError(`${show(word.value)} is not understood here: a part starts with ${starts}; ${list}`)
}

/** One alternative, and more for as long as a comma or `or` (or both) comes between. */
const takeChoices = (name: PartName, words: readonly Word[]): { words: Word[]; rest: readonly Word[] } => {
  const taken: Word[] = []
  let index = 0
  for (;;) {
    const word = words[index]
    const mark = keyword(word)
    if (word === undefined || mark === ',' || (name !== 'command' && mark !== undefined && reserved.has(mark))) {
      const hint =
        name === 'user' && word !== undefined && mark !== ',' ? `; a user of that name is "${word.value}"` : ''
      throw new ConfigurationError(`${describe(name)} is missing ${before(word)}${hint}`)
    }
    taken.push(word)
    const comma = keyword(words[++index]) === ','
    if (comma) index++
    const or = keyword(words[index]) === 'or'
    if (or) index++
    if (!comma && !or) return { words: taken, rest: words.slice(index) }
  }
}

const before = (word: Word | undefined): string => (word === undefined ? 'at the end' : `before ${show(word.value)}`)

const checkPorts = (parts: ReadonlyMap<PartName, Condition>): void => {
  const portless = parts.get('command')?.choices.find(({ text }) => text !== 'connect' && text !== 'udp')
  if (portless !== undefined && parts.has('port')) {
    throw new ConfigurationError(`"port" is about connect and udp: ${portless.text} reaches no port`)
  }
}

const describe = (name: PartName): string => (name === 'command' ? 'list of commands' : `"${name}"`)

/** A word that may be a keyword, in small letters. */
const keyword = (word: Word | undefined): string | undefined =>
  word === undefined || word.quoted ? undefined : word.value.toLowerCase()

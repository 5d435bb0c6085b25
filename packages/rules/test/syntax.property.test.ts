import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ConfigurationError } from '@it-socks/protocol'
import { isPrivate, judge, parseRule, parseRules, type Attempt } from '@it-socks/rules'

const list = <T>(one: fc.Arbitrary<T>, separators = [', ', ',', ' or ', ', or ']) =>
  fc
    .tuple(fc.array(one, { minLength: 1, maxLength: 3 }), fc.constantFrom(...separators))
    .map(([all, separator]) => all.join(separator))

const octet = fc.nat({ max: 255 })
const ipv4 = fc.tuple(octet, octet, octet, octet).map((bytes) => bytes.join('.'))
const address = fc.oneof(ipv4, fc.ipV6())
const network = fc.oneof(
  fc.constantFrom('10.0.0.0/8', '192.0.2.128/25', '0.0.0.0/0', '::/0', 'fe80::/10', '::ffff:10.0.0.0/104'),
  fc.constantFrom('anywhere', 'loopback', 'private', 'localhost')
)
const host = fc.oneof(
  fc.domain(),
  fc.constantFrom('example.com', 'www.Example.COM.', 'localhost', 'bücher.example', '127.1', 'printer')
)
const domain = fc
  .tuple(
    fc.constantFrom('', '*.', '.'),
    fc.oneof(fc.domain(), fc.constantFrom('Example.com.', 'bücher.example', 'printer.'))
  )
  .map((parts) => parts.join(''))
const username = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('alice', 'from', 'or', 'Bob B.'))
const port = fc
  .tuple(fc.nat({ max: 65535 }), fc.nat({ max: 65535 }))
  .map(([one, other]) => (one < other ? `${one}-${other}` : `${one}`))
const commands = {
  connect: 'connect',
  bind: 'bind',
  udp: 'udpAssociate',
  resolve: 'resolve',
  'resolve-ptr': 'resolvePtr'
} as const

const optional = (part: fc.Arbitrary<string>) => fc.option(part, { nil: '' })
/** A rule, in words as one may put it. */
const ruleText = fc
  .record({
    verdict: fc.constantFrom('allow', 'deny', 'DENY'),
    commands: optional(list(fc.constantFrom('connect', 'udp', 'Udp'))),
    user: optional(list(username.map((name) => JSON.stringify(name))).map((names) => `user ${names}`)),
    by: optional(list(fc.constantFrom('none', 'socks4', '"a method"')).map((methods) => `by ${methods}`)),
    from: optional(list(fc.oneof(address, network)).map((places) => `from ${places}`)),
    to: optional(list(fc.oneof(address, network, domain)).map((places) => `to ${places}`)),
    port: optional(list(port).map((ports) => `port ${ports}`))
  })
  .chain(({ verdict, ...parts }) =>
    fc
      .shuffledSubarray(Object.values(parts), { minLength: 6 })
      .map((parts) => [verdict, ...(parts.every((part) => part === '') ? ['everything'] : parts)].join(' '))
  )

const attempt: fc.Arbitrary<Attempt> = fc.record({
  command: fc.constantFrom(...Object.values(commands)),
  identity: fc.record({ method: fc.constantFrom('none', 'socks4'), username }),
  client: fc.option(fc.record({ host: address, port: fc.constant(1) }), { nil: undefined }),
  destination: fc.option(fc.record({ host: fc.oneof(host, address), port: fc.nat({ max: 65535 }) }), {
    nil: undefined
  }),
  ip: fc.option(address, { nil: undefined })
})

it('a rule says the same when it is read again from its name', () => {
  fc.assert(
    fc.property(ruleText, fc.array(attempt, { minLength: 5 }), (text, attempts) => {
      const rule = parseRule(text)
      const again = parseRule(rule.name)
      expect(again).toMatchObject({ name: rule.name, verdict: rule.verdict })
      expect(attempts.map((attempt) => again.matches(attempt))).toEqual(
        attempts.map((attempt) => rule.matches(attempt))
      )
      expect(parseRules(`# rules\n${rule.name}`)[0]?.name).toBe(rule.name)
    })
  )
})

it('a rule knows all that it is about where destination and address are known, and does not change its mind then', () => {
  fc.assert(
    fc.property(
      ruleText,
      attempt,
      address,
      fc.record({ host, port: fc.nat({ max: 65535 }) }),
      (text, attempt, ip, to) => {
        const rule = parseRule(text)
        const known = rule.matches({ ...attempt, destination: to, ip })
        expect(known).toBeTypeOf('boolean')
        const { ip: _, ...unresolved } = attempt
        expect([known, undefined]).toContain(rule.matches({ ...unresolved, destination: to }))
        expect([known, undefined]).toContain(rule.matches({ ...unresolved, destination: undefined }))
      }
    )
  )
})

it('a judgement before the address is known holds for every address', () => {
  fc.assert(
    fc.property(
      fc.array(ruleText, { maxLength: 5 }),
      attempt,
      fc.array(address),
      fc.constantFrom('allow', 'deny'),
      (texts, attempt, ips, otherwise) => {
        const rules = texts.map(parseRule)
        const before = judge(rules, { ...attempt, ip: undefined }, otherwise).verdict
        const verdicts = ips.map((ip) => judge(rules, { ...attempt, ip }, otherwise).verdict)
        expect(attempt.destination === undefined || !verdicts.includes(undefined)).toBe(true)
        expect(new Set(before === undefined ? [] : verdicts.filter((verdict) => verdict !== before))).toEqual(new Set())
      }
    )
  )
})

/** What is nearly a rule, and what is not. */
const noise = fc.oneof(
  fc.string({ unit: 'binary' }),
  list(
    fc.oneof(
      fc.constantFrom('allow', 'deny', 'to', 'from', 'port', 'user', 'or', 'udp', ',', '"', '#', '\n', '1-2'),
      host,
      network,
      fc.string()
    ),
    [' ', ',']
  ),
  fc.tuple(ruleText, fc.nat(), fc.string({ unit: 'binary', maxLength: 3 })).map(([text, place, noise]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + noise + text.slice(at)
  }),
  fc
    .tuple(
      fc.constantFrom('deny to ', 'deny from ', 'deny port ', 'deny user ', 'deny to ::/', 'deny to *.'),
      fc.string({ unit: 'binary' })
    )
    .map((parts) => parts.join(''))
)

const errorOf = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

it.each([
  ['parseRule', parseRule],
  ['parseRules', parseRules]
])('%s reads what it can, and has one error for all else', (_, parse) => {
  fc.assert(
    fc.property(noise, (text) => {
      expect(errorOf(() => parse(text)) ?? new ConfigurationError('')).toBeInstanceOf(ConfigurationError)
    }),
    { numRuns: 500 }
  )
})

it('any text may be asked about, and is no private address unless it is one', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), host, address), (text) => {
      expect(isPrivate(text)).toBeTypeOf('boolean')
    })
  )
})

import { describe, expect, it } from 'vitest'
import { judge, type Rule, type Verdict } from '@it-socks/rules'
import { attempt } from './attempt.ts'

const rule = (name: string, verdict: Verdict, match: boolean | undefined): Rule => ({
  name,
  verdict,
  matches: () => match
})

/** Rules in short: `+` allows, `-` denies, and whether it matches: `1`, `0` or `?`. */
const rules = (short: string): Rule[] =>
  short.split(' ').flatMap((word, index) => {
    if (word === '') return []
    const match = { '1': true, '0': false, '?': undefined }[word.slice(1)]
    return [rule(`${word} #${index}`, word[0] === '+' ? 'allow' : 'deny', match)]
  })

describe('judge', () => {
  it.each<[string, Verdict, Verdict | undefined, string | undefined]>([
    // No rule matches.
    ['', 'allow', 'allow', undefined],
    ['', 'deny', 'deny', undefined],
    ['+0 -0', 'allow', 'allow', undefined],
    ['+0 -0', 'deny', 'deny', undefined],
    // The first that matches has the word.
    ['+1', 'deny', 'allow', '+1 #0'],
    ['-1', 'allow', 'deny', '-1 #0'],
    ['+0 -1 +1', 'allow', 'deny', '-1 #1'],
    ['-0 +1 -1', 'deny', 'allow', '+1 #1'],
    // What is denied whatever the address is denied at once.
    ['-? -1', 'allow', 'deny', '-1 #1'],
    ['-?', 'deny', 'deny', undefined],
    ['-1 +?', 'allow', 'deny', '-1 #0'],
    ['-? -? -1 +1', 'allow', 'deny', '-1 #2'],
    // What is allowed whatever the address is allowed.
    ['+? +1', 'deny', 'allow', '+1 #1'],
    ['+?', 'allow', 'allow', undefined],
    // All else depends, and the rule is the first that may deny.
    ['+?', 'deny', undefined, undefined],
    ['-?', 'allow', undefined, '-? #0'],
    ['+? -1', 'allow', undefined, '-1 #1'],
    ['-? +1', 'deny', undefined, '-? #0'],
    ['-? +? -1', 'allow', undefined, '-? #0'],
    ['+? -? +1', 'allow', undefined, '-? #1']
  ])('comes with the rules "%s", otherwise %s, to %s by %s', (short, otherwise, verdict, name) => {
    expect(judge(rules(short), attempt(), otherwise)).toEqual({
      verdict,
      ...(name !== undefined && { rule: name })
    })
  })

  it('allows what no rule matches where nothing else is said', () => {
    expect(judge([], attempt())).toEqual({ verdict: 'allow' })
  })

  it('asks no rule behind the one that has the word', () => {
    const unasked: Rule = {
      name: 'not asked',
      verdict: 'deny',
      matches: () => {
        throw new Error('asked')
      }
    }
    expect(judge([rule('first', 'allow', true), unasked], attempt()).rule).toBe('first')
  })

  it('takes rules that are objects of a class', () => {
    class Nights implements Rule {
      readonly name = 'nights'
      readonly verdict = 'deny'
      private readonly isNight = true
      matches(): boolean {
        return this.isNight
      }
    }
    expect(judge([new Nights()], attempt())).toEqual({ verdict: 'deny', rule: 'nights' })
  })
})

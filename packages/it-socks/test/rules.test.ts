import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { temporaryFile } from '../../../test/support/temporary.ts'
import { adding } from '../src/options/option.ts'
import { readRules, ruleOption, type RuleSource } from '../src/serve/rules.ts'

/** What the options of a command line come to. */
const rulesOf = async (...args: string[]): Promise<string[]> => {
  const sources: RuleSource[] = []
  const path = (path: string): RuleSource => ({ path })
  await new Command()
    .addOption(ruleOption(sources, 'allow', ''))
    .addOption(ruleOption(sources, 'deny', ''))
    .addOption(adding(sources, '--rules <file>', '', path))
    .parseAsync(args, { from: 'user' })
  return (await readRules(sources)).map(({ name }) => name)
}

describe('--allow, --deny and --rules', () => {
  it('are one list, in the order of the command line, with the rules of a file in the place of the file', async () => {
    const first = await temporaryFile('first', 'allow to a.example\ndeny to b.example\n')
    const second = await temporaryFile('second', 'deny everything')
    const args = ['--deny', 'to private', '--rules', first, '--allow', 'user bob', '--deny', 'udp', '--rules', second]
    expect(await rulesOf(...args)).toEqual([
      'deny to private',
      'allow to a.example',
      'deny to b.example',
      'allow user bob',
      'deny udp',
      'deny everything'
    ])
  })

  it('skip empty lines, comments and the carriage returns of a file', async () => {
    const file = await temporaryFile(
      'rules',
      '# who\r\n\r\n  allow user bob # he is fine\r\n \t\r\ndeny everything\r\n'
    )
    expect(await rulesOf('--rules', file)).toEqual(['allow user bob', 'deny everything'])
  })

  it('take every part of a rule to start with, in capitals too', async () => {
    const texts = [
      'everything',
      'connect',
      'bind',
      'udp',
      'resolve',
      'resolve-ptr',
      'USER a',
      'by none',
      'from private'
    ]
    const rules = await rulesOf(
      ...texts.flatMap((text) => ['--allow', text]),
      '--deny',
      'to a.example',
      '--deny',
      'port 1'
    )
    expect(rules).toHaveLength(texts.length + 2)
  })

  it('are no rules where there are none', async () => {
    expect(await rulesOf()).toEqual([])
    expect(await rulesOf('--rules', await temporaryFile('rules', ''))).toEqual([])
  })
})

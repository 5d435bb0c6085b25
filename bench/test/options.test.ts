import { describe, expect, it } from 'vitest'
import { chosen, readOptions } from '../src/options.ts'

describe('options', () => {
  it('have defaults', () => {
    expect(readOptions([])).toMatchObject({ rounds: 5, scale: 1, only: undefined, servers: undefined, help: false })
  })

  it('read lists and numbers', () => {
    const options = readOptions(['--rounds', '7', '--scale', '0.1', '--only', 'churn,bulk', '--servers=hev'])
    expect(options).toMatchObject({ rounds: 7, scale: 0.1, only: ['churn', 'bulk'], servers: ['hev'] })
  })

  it('read what to draw and to write instead of measuring', () => {
    expect(readOptions(['--flame', 'epoll'])).toMatchObject({ flame: 'epoll', markdown: undefined })
    expect(readOptions(['--markdown', 'a.json,b.json', '--into', 'PAGE.md'])).toMatchObject({
      markdown: ['a.json', 'b.json'],
      into: 'PAGE.md'
    })
  })

  it.each([['--rounds', '0'], ['--rounds', 'many'], ['--scale', '-1'], ['--what', 'ever'], ['more']])(
    'refuse %s %s',
    (...args) => {
      expect(() => readOptions(args)).toThrow(Error)
    }
  )
})

describe('a choice', () => {
  const items = [
    { name: 'churn' },
    { name: 'up', group: 'bulk' },
    { name: 'down', group: 'bulk' },
    { name: 'growth', onRequest: true }
  ]
  const names = (asked: readonly string[] | undefined): string[] => chosen(items, asked).map(({ name }) => name)

  it('is by name or by group, in the order of the list', () => {
    expect(names(['bulk', 'churn'])).toEqual(['churn', 'up', 'down'])
    expect(names(['down'])).toEqual(['down'])
  })

  it('is all but what has to be asked for where nothing is', () => {
    expect(names(undefined)).toEqual(['churn', 'up', 'down'])
    expect(names(['growth'])).toEqual(['growth'])
  })

  it('names what there is in place of what there is not', () => {
    expect(() => names(['churn', 'chrun'])).toThrow('there is no chrun; there are churn, up, down, growth')
  })
})

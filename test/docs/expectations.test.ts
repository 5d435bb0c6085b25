import { describe, expect, it } from 'vitest'
import { blocksOf } from './blocks.ts'
import { checked } from './expectations.ts'

describe('an example’s promises', () => {
  it('become checks', () => {
    expect(checked('add(1, 2) // => 3')).toEqual({ code: 'expect(await (add(1, 2))).toStrictEqual( 3)', count: 1 })
  })

  it('may stand below the expression and go on', () => {
    const { code } = checked('const a = 1\nlist(a)\n// => [\n//   1\n// ]\nconst b = 2')
    expect(code).toBe('const a = 1\nexpect(await (list(a))).toStrictEqual(\n[\n   1\n ])\nconst b = 2')
  })

  it('belong to the whole of an expression of several lines', () => {
    expect(checked('await play({\n  a\n}) // => 1').code).toBe(
      'expect(await (await play({\n  a\n}))).toStrictEqual( 1)'
    )
  })

  it('are found inside loops', () => {
    expect(checked('for (const a of b) {\n  a // => 1\n}').code).toContain('  expect(await (a)).toStrictEqual( 1)')
  })

  it('do not take in the comment after them', () => {
    expect(checked('a() // => 1\n// And now for something else.\nb()').code).toContain('\n// And now')
  })

  it('need an expression', () => {
    expect(() => checked('const a = 1 // => 1')).toThrow(SyntaxError)
    expect(() => checked('a() // => [1,')).toThrow(SyntaxError)
  })
})

describe('the blocks of a document', () => {
  it('are those in Markdown, by line', () => {
    expect(blocksOf('# Title\n\n```ts\na()\n\nb()\n```\n\n```sh\nrm\n```\n')).toEqual([{ line: 3, code: 'a()\n\nb()' }])
  })

  it('are those in docstrings, where */ is escaped', () => {
    const text = ['/**', ' * ```ts', ' * /** It. *\\/', ' *', ' * a()', ' * ```', ' */'].join('\n')
    expect(blocksOf(text)).toEqual([{ line: 2, code: '/** It. */\n\na()' }])
  })

  it('must end', () => {
    expect(() => blocksOf('```ts\na()\n')).toThrow('line 1')
  })
})

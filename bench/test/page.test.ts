import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { fillIn, markdownOf, together } from '../src/report/markdown.ts'
import type { Results } from '../src/report/results.ts'

const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url))
const read = (file: string): string => readFileSync(path(file), 'utf8')
const saved = (name: string): Results => JSON.parse(read(`bench/results/${name}.json`)) as Results

describe('PERFORMANCE.md', () => {
  const page = read('PERFORMANCE.md')

  it('has the numbers of the runs that are saved', () => {
    const parts = markdownOf(together([saved('performance'), saved('growth')]))
    expect([...page.matchAll(/<!-- (?<mark>\w+) -->/g)].map(({ groups }) => groups!['mark']).toSorted()).toEqual(
      [...parts.keys()].toSorted()
    )
    expect(fillIn(page, parts)).toBe(page)
  })

  it('links to files that are there', () => {
    const files = [...page.matchAll(/\]\((?<file>[\w./-]+)/g)].map(({ groups }) => groups!['file'] ?? '')
    expect(files.length).toBeGreaterThan(3)
    expect(files.filter((file) => !existsSync(path(file)))).toEqual([])
  })
})

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf } from './blocks.ts'
import { documents, root } from './documents.ts'
import { checked } from './expectations.ts'
import { typeCheck, type Diagnostic } from './type-check.ts'

const examples = documents().flatMap((file) =>
  blocksOf(readFileSync(join(root, file), 'utf8')).map(({ line, code }) => ({ name: `${file}:${line}`, line, code }))
)

// A folder in the repository, so that imports of packages resolve; one for each run, as several may run at a time.
mkdirSync(join(root, 'test/docs/.examples'), { recursive: true })
const folder = mkdtempSync(join(root, 'test/docs/.examples/run-'))
const moduleOf = (name: string): string => join(folder, `${name.replace(':', '.')}.ts`)

/** The example as a module in which every line has the number that it has in its document. */
const writeModule = (name: string, line: number, code: string): void => {
  mkdirSync(dirname(moduleOf(name)), { recursive: true })
  writeFileSync(moduleOf(name), `${'\n'.repeat(line - 1)}import { expect } from 'vitest'\n${code}\n`)
}

const typeCheckModules = (): Promise<Diagnostic[]> => {
  const config = join(folder, 'tsconfig.json')
  writeFileSync(config, JSON.stringify({ extends: '../../../tsconfig.json', include: ['.'] }))
  return typeCheck(config, folder)
}

describe('every example in the documentation compiles, runs and comes to what it says', () => {
  let diagnostics: Diagnostic[]

  beforeAll(async () => {
    for (const { name, line, code } of examples) writeModule(name, line, code)
    diagnostics = await typeCheckModules()
  }, 60_000)

  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(examples.map((example) => [example.name, example] as const))('%s', async (name, { line, code }) => {
    const file = relative(folder, moduleOf(name))
    expect(diagnostics.filter((diagnostic) => diagnostic.file === file)).toEqual([])
    const { code: checks, count } = checked(code)
    writeModule(name, line, checks)
    await import(/* @vite-ignore */ moduleOf(name))
    // One is the check above: every promise was kept at least once, none stands where the code never comes.
    expect(expect.getState().assertionCalls).toBeGreaterThan(count)
  })
})

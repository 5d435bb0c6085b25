import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './documents.ts'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const architecture = read('ARCHITECTURE.md')

/** The floor of each package, from the map: lines like `    2  auth, command, relay    the stages`. */
const floors = new Map(
  [...architecture.matchAll(/^ {4}(?<floor>\d) {2}(?<names>.+?) {4,}\S.*$/gm)].flatMap(({ groups }) =>
    groups!['names']!.split(', ').map((name) => [name, Number(groups!['floor'])] as const)
  )
)

describe('the map of packages in ARCHITECTURE.md', () => {
  it('has every package', () => {
    const packages = readdirSync(join(root, 'packages')).filter((name) => !name.includes('.'))
    expect([...floors.keys()].toSorted()).toEqual(packages.toSorted())
  })

  it.each([...floors])('%s imports from lower floors alone', (name, floor) => {
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(read(`packages/${name}/package.json`)) as {
      dependencies?: Record<string, string>
      optionalDependencies?: Record<string, string>
    }
    const floorsBelow = Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((dependency) => dependency.startsWith('@it-socks/'))
      .map((dependency) => floors.get(dependency.replace('@it-socks/', '')))
    expect(floorsBelow.filter((below) => below === undefined || below >= floor)).toEqual([])
  })
})

it('every source file that ARCHITECTURE.md names exists', () => {
  const files = [...architecture.matchAll(/`(?<file>[\w-]+\/src\/[\w/.-]+\.ts)`/g)].map(
    ({ groups }) => groups!['file']!
  )
  expect(files.length).toBeGreaterThan(10)
  expect(files.filter((file) => !existsSync(join(root, 'packages', file)))).toEqual([])
})

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

const filesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)

/** Every file that may have examples: sources, READMEs, the architecture. Paths start at the root. */
export const documents = (): string[] => {
  const packages = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'src')))
  const prose = ['', 'examples/', ...packages.map((name) => `packages/${name}/`)].flatMap((folder) =>
    ['README.md', 'ARCHITECTURE.md'].map((name) => `${folder}${name}`)
  )
  const sources = packages.flatMap((name) => filesIn(`packages/${name}/src`))
  return [...prose.filter((file) => existsSync(join(root, file))), ...sources]
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** The package as others load it, for threads and processes that do not know our sources. */
export const built: string = new URL('../dist/index.js', import.meta.url).href

/** Builds it: no work where nothing has changed. */
export const build = async (): Promise<void> => {
  const tsc = path('../../../node_modules/typescript/bin/tsc')
  const compiler = spawn(process.execPath, [tsc, '-b', path('..')], { stdio: 'inherit' })
  const [code] = (await once(compiler, 'exit')) as unknown[]
  if (code !== 0) throw new Error('cannot build @it-socks/syscall')
}

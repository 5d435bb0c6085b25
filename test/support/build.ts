import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** What the compiler had to say against building the command line; empty where it is built. */
    buildFailure: string
  }
}

/**
 * Builds the command line once before the tests, and again before each rerun: what tests start is the program that
 * users get. Incremental, so it takes no time where nothing has changed. A failure is for those tests to report that
 * need the program; all others run on the sources.
 */
export default async (project: TestProject): Promise<void> => {
  const provide = async (): Promise<void> => project.provide('buildFailure', await build())
  project.onTestsRerun(provide)
  await provide()
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

const build = async (): Promise<string> => {
  const tsc = path('../../node_modules/typescript/bin/tsc')
  const compiler = spawn(process.execPath, [tsc, '-b', path('../../packages/it-socks')], { stdio: 'pipe' })
  const [output, [code]] = await Promise.all([text(compiler.stdout), once(compiler, 'exit')])
  return code === 0 ? '' : output
}

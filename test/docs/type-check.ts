import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'

const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace('package.json', 'bin/tsc')

/** One thing that TypeScript has to say. */
export interface Diagnostic {
  /** Relative to `cwd`. */
  readonly file: string
  readonly line: number
  readonly message: string
}

/** What TypeScript finds wrong in the project `config`, as far as it can be traced to a file. */
export const typeCheck = async (config: string, cwd: string): Promise<Diagnostic[]> => {
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [tsc, '--pretty', 'false', '-p', config], { cwd }, (error, stdout) => {
      // 1 and 2 are how it says that there are errors.
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve(stdout)
    })
  })
  const diagnostics = [...output.matchAll(/^(?<file>\S.*)\((?<line>\d+),\d+\): (?<message>.*(?:\n .*)*)/gm)]
  if (diagnostics.length === 0 && output !== '') throw new Error(output)
  return diagnostics.map(({ groups }) => ({
    file: groups!['file']!,
    line: Number(groups!['line']),
    message: groups!['message']!
  }))
}

import { readFile } from 'node:fs/promises'
import { UsageError } from '../failure.ts'

/** Reads a file that an option names. @throws {UsageError} where it cannot be read, or is not UTF-8 */
export const readText = async (option: string, path: string): Promise<string> => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch (cause) {
    if (cause instanceof TypeError) throw new UsageError(`${option} names a file that is not UTF-8: ${path}`, { cause })
    // With a colon it may be a name and a password, meant for --user.
    const what = path.includes(':')
      ? 'takes the path of a file, not name:password'
      : `names a file that cannot be read: ${path}`
    throw new UsageError(`${option} ${what}: ${(cause as NodeJS.ErrnoException).code}`, { cause })
  }
}

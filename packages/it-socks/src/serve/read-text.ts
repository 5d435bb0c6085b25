import { readFile } from 'node:fs/promises'
import { UsageError } from '../failure.ts'

/**
 * What was read, by its path: once, for a pipe has nothing for who reads it again, and a file may have something else. Other
 * threads are given it.
 */
const texts = new Map<string, string>()

/** All that was read so far. */
export const textsRead = (): ReadonlyMap<string, string> => texts

/** Knows what another thread has read. */
export const knowTexts = (known: ReadonlyMap<string, string>): void => {
  for (const [path, text] of known) texts.set(path, text)
}

/** Reads a file that an option names. @throws {UsageError} where it cannot be read, or is not UTF-8 */
export const readText = async (option: string, path: string): Promise<string> => {
  const known = texts.get(path)
  if (known !== undefined) return known
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
    texts.set(path, text)
    return text
  } catch (cause) {
    if (cause instanceof TypeError) throw new UsageError(`${option} names a file that is not UTF-8: ${path}`, { cause })
    // With a colon it may be a name and a password, meant for --user.
    const what = path.includes(':')
      ? 'takes the path of a file, not name:password'
      : `names a file that cannot be read: ${path}`
    throw new UsageError(`${option} ${what}: ${(cause as NodeJS.ErrnoException).code}`, { cause })
  }
}

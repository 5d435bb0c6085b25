import { CommanderError } from 'commander'
import { Failure } from './failure.ts'
import { harmless } from './log/pretty.ts'
import { program } from './program.ts'

/** Runs `it-socks` with these arguments. Resolves with the exit code: 0, 1 for what went wrong, 2 for wrong usage. */
export const main = async (args: readonly string[]): Promise<number> => {
  try {
    await program(args).parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof Failure) return fail(error.message, error.exitCode)
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    // No command at all: the help has been shown.
    return error.code === 'commander.help' ? 2 : fail(withoutValues(error.message), 2)
  }
}

const fail = (message: string, code: number): number => {
  process.stderr.write(`it-socks: ${harmless(message)}\n`)
  return code
}

/**
 * One line, an unknown option without what is glued to it (`--usr=alice:secret`, `-ualice:secret`), and an unknown
 * command only where it is a word (`alice:secret`).
 */
const withoutValues = (message: string): string =>
  message
    .replace(/^error: /, '')
    .replace(/(unknown option '(?:--[^=']*|-[^-])).*'(?=$|\n)/s, "$1'")
    .replace(/(unknown command) '(?![a-z]+'(?:$|\n)).*'(?=$|\n)/is, '$1')
    .replaceAll(/\s*\n\s*/g, ' ')

/** Something that a user can understand and perhaps mend: told in one line, without a stack. */
export abstract class Failure extends Error {
  /** What the program exits with. */
  abstract readonly exitCode: 1 | 2
}

/** What was asked for cannot be: an option, or a file that an option names. The message says which. */
export class UsageError extends Failure {
  override readonly name = 'UsageError'
  override readonly exitCode = 2
}

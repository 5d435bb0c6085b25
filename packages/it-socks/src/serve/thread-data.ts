import { terminals, type LogOptions } from '../log/log.ts'

/** What each thread is told: it reads the command line anew, for functions cannot go from thread to thread. */
export interface ThreadData {
  readonly args: readonly string[]
  /** Only the main thread sees what stdout and stderr are. */
  readonly terminals: NonNullable<LogOptions['terminals']>
}

export const threadData = (args: readonly string[]): ThreadData => ({ args, terminals: terminals() })

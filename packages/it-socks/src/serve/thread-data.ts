import { textsRead } from './read-text.ts'
import { terminals, type LogOptions } from '../log/log.ts'

/** What each thread is told. It reads the command line anew, for functions cannot go from thread to thread, but no file. */
export interface ThreadData {
  readonly args: readonly string[]
  /** What was read of the files that it names. */
  readonly texts: ReadonlyMap<string, string>
  /** Only the main thread sees what stdout and stderr are. */
  readonly terminals: NonNullable<LogOptions['terminals']>
}

export const threadData = (args: readonly string[]): ThreadData => ({
  args,
  texts: textsRead(),
  terminals: terminals()
})

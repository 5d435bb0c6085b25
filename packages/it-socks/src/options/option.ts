import { Argument, Option } from 'commander'
import { UsageError } from '../failure.ts'

type Parse<T> = (text: string) => T

/** An option that takes one value; what is wrong with it is said with its name. */
export const option = <T>(flags: string, description: string, parse: Parse<T>): Option =>
  new Option(flags, description).argParser((text: string) => named(flags, parse)(text))

/** An option that may be given several times; its value is a list. */
export const repeatable = <T>(flags: string, description: string, parse: Parse<T>): Option =>
  new Option(flags, description).argParser((text: string, previous: readonly T[] | undefined): readonly T[] => [
    ...(previous ?? []),
    named(flags, parse)(text)
  ])

/** An option that may be given several times and adds to a list which others add to as well, all in their order. */
export const adding = <T>(list: T[], flags: string, description: string, parse: Parse<T>): Option =>
  new Option(flags, description).argParser((text: string): readonly T[] => {
    list.push(named(flags, parse)(text))
    return list
  })

/** An argument; what is wrong with it is said with its name. */
export const argument = <T>(name: string, description: string, parse: Parse<T>): Argument =>
  new Argument(`<${name}>`, description).argParser((text: string) => named(name, parse)(text))

/** commander's own message for a bad value repeats the value, which may be a password: ours says what it needs to. */
const named =
  <T>(flags: string, parse: Parse<T>): Parse<T> =>
  (text) => {
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      throw new UsageError(`${flags.split(' ', 1)[0]} ${error.message}`, { cause: error })
    }
  }

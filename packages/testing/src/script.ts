import { type ByteDuplex } from '@it-socks/stage'
import { chunked, everyChunking, type Chunking } from './chunking.ts'
import { duplexPair } from './duplex-pair.ts'
import { hex, toHex } from './hex.ts'

/** A side of the conversation. */
export type Role = 'client' | 'server'

/** What one side says next. */
export interface Line {
  readonly from: Role
  readonly bytes: Uint8Array
}

type Say = (...template: Parameters<typeof hex>) => Line

/** A line of the client, written as `hex` does. */
export const client: Say = (...template) => ({ from: 'client', bytes: hex(...template) })

/** A line of the server, written as `hex` does. */
export const server: Say = (...template) => ({ from: 'server', bytes: hex(...template) })

/** The code under test did not keep to the script. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError'
}

export interface PlayOptions<T> {
  /** The conversation, in order. */
  script: readonly Line[]
  /** Which side the code under test is; the script plays the other. */
  testing: Role
  /** Runs the code under test on its end of a connection. */
  run: (duplex: ByteDuplex) => Promise<T>
  /**
   * Half-closes only when the code under test has said all that the script has for it, even where all lines are glued:
   * for code that takes a half-close for a farewell. Default: false.
   */
  stays?: boolean
}

/**
 * Plays the other side of a conversation, cut in one way: says its own lines, and listens for those of the code under
 * test, which must come to the byte. After its last line the script half-closes. Settles as `run` does; where the code
 * waits for a line and the script for the code, neither ever does.
 *
 * @throws {ScriptError} where the code under test says something else, less or more than the script has for it
 */
export const playOnce = async <T>(
  { script, testing, run, stays = false }: PlayOptions<T>,
  chunking: Chunking
): Promise<T> => {
  const [near, far] = duplexPair()
  const ours = script.filter(({ from }) => from !== testing)
  const theirs = joined(script.filter(({ from }) => from === testing))
  const ear = listenTo(far)

  const mouth = async function* (): AsyncGenerator<Uint8Array, void> {
    let said = 0
    let due = 0
    for (const { from, bytes } of chunking.glued === true ? [{ from: undefined, bytes: joined(ours) }] : script) {
      if (from === testing) {
        due += bytes.length
        if (!(await ear.heard(due))) return
      } else {
        yield* chunked(bytes, chunking, said)
        said += bytes.length
      }
    }
    if (stays) await ear.heard(theirs.length)
  }

  const spoken = far.sink(mouth()).catch(() => {})
  const [outcome] = await Promise.allSettled([run(near)])
  near.abort(new Error('the play is over'))
  await spoken
  compare(theirs, await ear.all(), chunking, outcome)
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

/**
 * Plays the other side of a conversation as {@link playOnce} does, once under every chunking (see {@link everyChunking}).
 * However the bytes are cut, the same must come of it: settles as the first run did.
 *
 * @throws {ScriptError} also where the outcomes differ (values as JSON, errors by name and message)
 *
 * @example
 *
 * ```ts
 * import { authenticate, none } from '@it-socks/auth'
 * import { frames, handshake, pipe } from '@it-socks/stage'
 * import { client, play, server } from '@it-socks/testing'
 *
 * await play({
 *   script: [client`05 01 00`, server`05 00`],
 *   testing: 'server',
 *   run: async (duplex) => {
 *     const { context } = await pipe(duplex, frames(), authenticate([none()]), handshake(duplex))
 *     return context.identity
 *   }
 * }) // => { method: 'none' }
 * ```
 */
export const play = async <T>(options: PlayOptions<T>): Promise<T> => {
  const said = joined(options.script.filter(({ from }) => from !== options.testing)).length
  const plays = await Promise.all(
    everyChunking(said).map(async (chunking) => {
      const [outcome] = await Promise.allSettled([playOnce(options, chunking)])
      return { outcome, told: describe(outcome), name: chunking.name }
    })
  )
  const reasons = plays.flatMap(({ outcome }) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  const unscripted = reasons.find((reason) => reason instanceof ScriptError)
  if (unscripted !== undefined) throw unscripted
  const first = plays[0]!
  const other = plays.find(({ told }) => told !== first.told)
  if (other !== undefined) {
    const lines = [first, other].map(({ name, told }) => `\n  ${name}: ${told}`)
    throw new ScriptError(`the outcome depends on the chunking:${lines.join('')}`)
  }
  if (first.outcome.status === 'rejected') throw first.outcome.reason
  return first.outcome.value
}

const describe = (outcome: PromiseSettledResult<unknown>): string =>
  outcome.status === 'fulfilled' ? `came to ${JSON.stringify(outcome.value)}` : `threw ${outcome.reason}`

const joined = (lines: readonly Line[]): Uint8Array => Uint8Array.from(lines.flatMap(({ bytes }) => [...bytes]))

interface Ear {
  /** Whether so many bytes came before the end. */
  heard(length: number): Promise<boolean>
  /** All that came. */
  all(): Promise<Uint8Array>
}

const listenTo = (duplex: ByteDuplex): Ear => {
  let bytes = new Uint8Array()
  let waiting: { length: number; resolve: (heard: boolean) => void } | undefined
  const done = (async () => {
    for await (const chunk of duplex.source) {
      bytes = Uint8Array.from([...bytes, ...chunk.subarray()])
      if (waiting !== undefined && bytes.length >= waiting.length) waiting.resolve(true)
    }
  })()
    .catch(() => {})
    .then(() => waiting?.resolve(false))
  return {
    heard: (length) =>
      new Promise((resolve) => {
        if (bytes.length >= length) resolve(true)
        else {
          waiting = { length, resolve }
          void done.then(() => resolve(bytes.length >= length))
        }
      }),
    all: async () => {
      await done
      return bytes
    }
  }
}

const compare = (
  expected: Uint8Array,
  received: Uint8Array,
  { name }: Chunking,
  outcome: PromiseSettledResult<unknown>
): void => {
  if (toHex(expected) === toHex(received)) return
  const message = `${name}:\n  expected ${toHex(expected)}\n  received ${toHex(received)}`
  // What the code under test threw is most often why it said something else.
  throw outcome.status === 'rejected'
    ? new ScriptError(`${message}\n  and it threw ${outcome.reason}`, { cause: outcome.reason })
    : new ScriptError(message)
}

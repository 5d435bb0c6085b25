import { isHandoff, never, plain, readFrames, type Bytes, type Handoff, type Step } from '@it-socks/stage'
import { toHex } from '@it-socks/testing'

/** A source of these chunks. */
export const chunks = async function* (...bytes: Bytes[]): AsyncGenerator<Bytes, void> {
  yield* bytes
}

/** A handoff as the head of a pipeline makes it, but for what a test wants otherwise. */
export const handoff = <Context = {}>(given: Partial<Handoff<Context>> = {}): Handoff<Context> => ({
  frames: readFrames(chunks()),
  context: {} as Context,
  seal: plain,
  refuse: () => undefined,
  signal: never,
  ...given
})

/** A pipeline that has come so far. */
export const steps = async function* <Context>(...all: Array<Step<Context>>): AsyncGenerator<Step<Context>, void> {
  yield* all
}

/** What comes out of a pipeline: bytes in hexadecimal, one entry a chunk, and how it ended. */
export interface Outcome<Context> {
  readonly said: string[]
  readonly handoff?: Handoff<Context>
  readonly error?: unknown
}

/** Runs a pipeline to its end. */
export const run = async <Context>(pipeline: AsyncIterable<Step<Context>>): Promise<Outcome<Context>> => {
  const said: string[] = []
  let handedOver: { handoff: Handoff<Context> } | undefined
  try {
    for await (const step of pipeline) {
      if (isHandoff(step)) handedOver = { handoff: step }
      else said.push(toHex(step.subarray()))
    }
  } catch (error) {
    return { said, error }
  }
  return { said, ...handedOver }
}

/** What a promise fails with. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing: it came through',
    (reason: unknown) => reason
  )

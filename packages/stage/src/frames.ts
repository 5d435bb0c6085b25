import type { Bytes } from './duplex.ts'
import { startAt } from './course.ts'
import { handoffOf, plain, type Handoff } from './handoff.ts'
import { readFrames } from './reader.ts'
import { cancellationOf, never, type Signal } from './cancellation.ts'

/** What a pipeline starts with, beside its bytes. */
export interface FramesOptions<Context extends object> {
  /** Cancels the pipeline; every stage fails with the signal's reason. Default: nobody can. */
  signal?: Signal
  /** What the first stage finds in its context. Default: nothing. */
  context?: Context
}

/**
 * The head of every pipeline: turns a byte source into a handoff that reads it. Nothing is said to a peer whose very
 * first message is wrong: until a stage knows the protocol, `refuse` is silent.
 *
 * @example
 *
 * ```ts
 * import { greeting } from '@it-socks/protocol'
 * import { frames, isHandoff, pipe, stage } from '@it-socks/stage'
 *
 * const hello = stage<{}, { methods: readonly number[] }>(async function* ({ frames }) {
 *   return await frames.read(greeting)
 * })
 * const bytes = async function* () {
 *   yield Uint8Array.of(5, 1, 0)
 * }
 *
 * for await (const step of pipe(bytes(), frames(), hello)) {
 *   if (isHandoff(step)) step.context.methods // => [0]
 * }
 * ```
 */
export const frames =
  <Context extends object = {}>({ signal = never, context }: FramesOptions<Context> = {}): ((
    source: AsyncIterable<Bytes>
  ) => AsyncGenerator<Handoff<Context>, void>) =>
  (source) =>
    startAt(
      handoffOf(
        { frames: readFrames(source), context: context ?? ({} as Context), seal: plain, refuse: () => undefined },
        cancellationOf(signal)
      )
    )

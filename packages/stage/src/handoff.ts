import { cancellationOf, type Cancellation } from './cancellation.ts'
import type { Bytes } from './duplex.ts'
import { nothing, readFrames, type Frames } from './reader.ts'
import { keepSpecimens } from './specimens.ts'

/** Protects outbound bytes, as GSSAPI does after its negotiation. Called in order, once for each chunk. */
export type Seal = (bytes: Bytes) => Bytes

/** The seal that protects nothing. */
export const plain: Seal = (bytes) => bytes

/** What a stage hands to the next: the reader and all that is known so far. */
export interface Handoff<Context> {
  /** Reads the peer's messages, and has every byte that is not yet consumed. */
  readonly frames: Frames
  /** What the stages before have found out. */
  readonly context: Context
  /** How outbound bytes are protected from here on. */
  readonly seal: Seal
  /**
   * Says no in the protocol that is spoken here, where there is still something to say: a SOCKS5 reply, a SOCKS4 reply,
   * an HTTP status. Called once, by the stage that failed. Whoever holds a resource releases it here.
   */
  readonly refuse: (error: unknown) => Bytes | undefined
  /** Aborts when the connection is to go away. */
  readonly signal: AbortSignal
  /** The same at a lower price. Default: the signal. */
  readonly cancellation?: Cancellation
}

/** Nobody takes what a stage has come to: what it has opened is to be closed. What it says, or throws, is nobody's business. */
export const release = (refuse: Handoff<unknown>['refuse'] | undefined, reason: unknown): void => {
  try {
    refuse?.(reason)
  } catch {
    // As above.
  }
}

/** What flows through a pipeline: bytes for the peer …, then one handoff, last. */
export type Step<Context> = Bytes | Handoff<Context>

/** Whether a step is the handoff. */
export const isHandoff = <Context>(step: Step<Context>): step is Handoff<Context> => 'frames' in step

/** A handoff whose signal is made when somebody asks for it. */
class LeanHandoff<Context> implements Handoff<Context> {
  readonly frames: Frames
  readonly context: Context
  readonly seal: Seal
  readonly refuse: Handoff<Context>['refuse']
  readonly cancellation: Cancellation

  constructor({ frames, context, seal, refuse }: Omit<Handoff<Context>, 'signal'>, cancellation: Cancellation) {
    this.frames = frames
    this.context = context
    this.seal = seal
    this.refuse = refuse
    this.cancellation = cancellation
  }

  get signal(): AbortSignal {
    return this.cancellation.signal
  }
}

/** The handoff of nobody. */
export const specimen: Handoff<unknown> = new LeanHandoff<unknown>(
  { frames: readFrames(nothing), context: {}, seal: plain, refuse: () => undefined },
  cancellationOf()
)
keepSpecimens(specimen)

/** What a handoff is cancelled by. */
export const cancelledBy = (handoff: Handoff<unknown>): Cancellation =>
  handoff.cancellation ?? cancellationOf(handoff.signal)

/** Makes a handoff. */
export const handoffOf = <Context>(
  parts: Omit<Handoff<Context>, 'signal' | 'cancellation'>,
  cancellation: Cancellation
): Handoff<Context> => new LeanHandoff(parts, cancellation)

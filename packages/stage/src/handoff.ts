import type { Bytes } from './duplex.ts'
import type { Frames } from './reader.ts'

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
}

/** What flows through a pipeline: bytes for the peer …, then one handoff, last. */
export type Step<Context> = Bytes | Handoff<Context>

/** Whether a step is the handoff. */
export const isHandoff = <Context>(step: Step<Context>): step is Handoff<Context> => 'frames' in step

import type { Authenticated, Identity, StageBody } from '@it-socks/stage'

interface Method {
  /** METHOD: 0x00 to 0x7F are assigned by IANA, 0x80 to 0xFE are yours (RFC 1928 section 3). */
  readonly id: number
  /** What logs call it. */
  readonly name: string
}

/**
 * How a server authenticates by one method. `server` is a stage body: it speaks the sub-negotiation, returns the
 * identity, and may return new `frames` and a `seal` to wrap all that follows. It says no by yielding what the method
 * has for that and throwing.
 */
export interface ServerMethod<I extends Identity = Identity> extends Method {
  readonly server: StageBody<unknown, Authenticated<I>>
}

/** The identity that a method, or one of several, finds out. */
export type IdentityOf<Method> = Method extends ServerMethod<infer I> ? I : never

/** How a client authenticates by one method; `client` mirrors `server` of {@link ServerMethod}. */
export interface ClientMethod extends Method {
  readonly client: StageBody<unknown, {}>
}

/** An authentication method that knows both sides. */
export type AuthMethod<I extends Identity = Identity> = ServerMethod<I> & ClientMethod

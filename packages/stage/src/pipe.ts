import { pipe as itPipe } from 'it-pipe'
import type { Bytes, ByteDuplex } from './duplex.ts'
import type { Handoff, Step } from './handoff.ts'
import { takeTurn, type Stage } from './stage.ts'

type Input = ByteDuplex | AsyncIterable<Bytes>
// A head gives a handoff and nothing else. A stage takes bytes too, and would send them all back to whoever said them.
type Head<A> = (source: AsyncIterable<Bytes>) => AsyncIterable<Handoff<A>>
type Next<A, B> = (steps: AsyncIterable<Step<A>>) => AsyncIterable<Step<B>>
type Last<A, R> = (steps: AsyncIterable<Step<A>>) => R

/** The types of {@link pipe}: the context grows from step to step, and each step takes no less than it needs. */
export interface Pipe {
  <A, R>(input: Input, head: Head<A>, last: Last<A, R>): R
  <A, B, R>(input: Input, head: Head<A>, s1: Next<A, B>, last: Last<B, R>): R
  <A, B, C, R>(input: Input, head: Head<A>, s1: Next<A, B>, s2: Next<B, C>, last: Last<C, R>): R
  <A, B, C, D, R>(input: Input, head: Head<A>, s1: Next<A, B>, s2: Next<B, C>, s3: Next<C, D>, last: Last<D, R>): R
  <A, B, C, D, E, R>(
    input: Input,
    head: Head<A>,
    s1: Next<A, B>,
    s2: Next<B, C>,
    s3: Next<C, D>,
    s4: Next<D, E>,
    last: Last<E, R>
  ): R
  <A, B, C, D, E, F, R>(
    input: Input,
    head: Head<A>,
    s1: Next<A, B>,
    s2: Next<B, C>,
    s3: Next<C, D>,
    s4: Next<D, E>,
    s5: Next<E, F>,
    last: Last<F, R>
  ): R
  <A, B, C, D, E, F, G, R>(
    input: Input,
    head: Head<A>,
    s1: Next<A, B>,
    s2: Next<B, C>,
    s3: Next<C, D>,
    s4: Next<D, E>,
    s5: Next<E, F>,
    s6: Next<F, G>,
    last: Last<G, R>
  ): R
  <A, B, C, D, E, F, G, H, R>(
    input: Input,
    head: Head<A>,
    s1: Next<A, B>,
    s2: Next<B, C>,
    s3: Next<C, D>,
    s4: Next<D, E>,
    s5: Next<E, F>,
    s6: Next<F, G>,
    s7: Next<G, H>,
    last: Last<H, R>
  ): R
}

/**
 * it-pipe's `pipe`, with types that remember the context which the stages have built up: a stage whose needs are not
 * met by the stages before it does not compile. More stages than it has room for go through {@link compose}.
 *
 * @example
 *
 * ```ts
 * import { authenticate, none } from '@it-socks/auth'
 * import { command, connect, request } from '@it-socks/command'
 * import { dial, listen } from '@it-socks/net'
 * import { relay } from '@it-socks/relay'
 * import { frames, pipe } from '@it-socks/stage'
 *
 * const serve = async () => {
 *   for await (const connection of listen({ host: '127.0.0.1', port: 1080 })) {
 *     pipe(
 *       connection,
 *       frames(),
 *       authenticate([none()]),
 *       request(),
 *       command({ connect: connect(dial()) }),
 *       relay(connection)
 *     ).catch((error) => console.error(error.message))
 *   }
 * }
 * ```
 */
export const pipe: Pipe = itPipe as Pipe

/** The keys that `Needs` asks for and `Adds` gives. */
type Given<Needs, Adds> = keyof { [K in keyof Needs & keyof Adds as Adds[K] extends Needs[K] ? K : never]: 0 }

/** What `Needs` asks for and `Adds` does not give: where that is nothing, `unknown`, as for a stage that needs nothing. */
type Missing<Needs, Adds> = [Exclude<keyof Needs, Given<Needs, Adds>>] extends [never]
  ? unknown
  : Omit<Needs, Given<Needs, Adds>>

/** The types of {@link compose}: what the stages add up to, and what they need that none of them adds. */
export interface Compose {
  <N1, A1, N2, A2>(s1: Stage<N1, A1>, s2: Stage<N2, A2>): Stage<N1 & Missing<N2, A1>, A1 & A2>
  <N1, A1, N2, A2, N3, A3>(
    s1: Stage<N1, A1>,
    s2: Stage<N2, A2>,
    s3: Stage<N3, A3>
  ): Stage<N1 & Missing<N2, A1> & Missing<N3, A1 & A2>, A1 & A2 & A3>
  <N1, A1, N2, A2, N3, A3, N4, A4>(
    s1: Stage<N1, A1>,
    s2: Stage<N2, A2>,
    s3: Stage<N3, A3>,
    s4: Stage<N4, A4>
  ): Stage<N1 & Missing<N2, A1> & Missing<N3, A1 & A2> & Missing<N4, A1 & A2 & A3>, A1 & A2 & A3 & A4>
}

type AnyStage = Stage<unknown, unknown>

const inTurn = (...stages: AnyStage[]): AnyStage => takeTurn(...stages.flatMap(({ turns }) => turns))

/**
 * Makes one stage of two to four: what each adds, the next ones have; what none of them adds, the whole needs.
 *
 * @example
 *
 * ```ts
 * import { authenticate, none } from '@it-socks/auth'
 * import { request } from '@it-socks/command'
 * import { compose } from '@it-socks/stage'
 *
 * const negotiate = compose(authenticate([none()]), request())
 * ```
 */
export const compose: Compose = inTurn as Compose

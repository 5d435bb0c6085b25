import type { Bytes } from './duplex.ts'
import { Iterating, type Result } from './iterating.ts'
import { isHandoff, type Handoff, type Step } from './handoff.ts'

/** Says bytes to the peer. Where that gives a promise, too much is waiting already: say no more before it resolves. */
export type Say = (bytes: Bytes) => Promise<void> | undefined

/**
 * What a stage does with the handoff: says bytes for the peer, sealed, and comes to the handoff for the next stage, now or
 * later. It has refused the peer by the time it throws.
 */
export type Turn<Needs, Adds> = <Context extends Needs>(
  handoff: Handoff<Context>,
  say: Say
) => Handoff<Context & Adds> | Promise<Handoff<Context & Adds>>

type AnyTurn = Turn<unknown, unknown>

/** Where a course starts: at a handoff, or behind steps that somebody else makes. */
type Start = Handoff<unknown> | AsyncIterable<Step<unknown>>

/**
 * Stages in a row, as the async iterator of their steps. Whoever knows it for what it is can `run` it instead: then a
 * whole pipeline is one loop over turns, and no step goes through the iterators of the stages behind it.
 */
class Course implements AsyncGenerator<Step<unknown>, void> {
  readonly #start: Start
  readonly #turns: AnyTurn[] = []
  #iterating: Iterating | undefined

  constructor(start: Start) {
    this.#start = start
  }

  /** The same course, and then this turn. */
  with(turn: AnyTurn): this {
    this.#turns.push(turn)
    return this
  }

  run(say: Say): Promise<Handoff<unknown>> {
    const start = this.#start
    return 'frames' in start ? takeTurns(this.#turns, start, say) : takeTurnsBehind(start, this.#turns, say)
  }

  next(): Promise<Result> {
    this.#iterating ??= new Iterating((say) => this.run(say))
    return this.#iterating.next()
  }

  async return(): Promise<IteratorResult<never, void>> {
    if (this.#iterating !== undefined) await this.#iterating.leave()
    else {
      this.#iterating = new Iterating(undefined)
      if (!('frames' in this.#start)) await this.#start[Symbol.asyncIterator]().return?.()
    }
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<Result> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Takes turns one after the other. */
export const takeTurns = async <Context>(
  turns: readonly AnyTurn[],
  handoff: Handoff<Context>,
  say: Say
): Promise<Handoff<Context>> => {
  let current: Handoff<Context> = handoff
  for (const turn of turns) {
    const next = turn(current, say)
    current = next instanceof Promise ? await next : next
  }
  return current
}

/** Says what others have to say, and takes turns on their handoff; they are let go of when that is over. */
const takeTurnsBehind = async (
  steps: AsyncIterable<Step<unknown>>,
  turns: readonly AnyTurn[],
  say: Say
): Promise<Handoff<unknown>> => {
  for await (const step of steps) {
    if (isHandoff(step)) return await takeTurns(turns, step, say)
    await say(step)
  }
  throw new Error('the pipeline ended without a handoff')
}

/** The steps of a pipeline that goes on with this turn. */
export const goOn = <Needs, Adds, Context extends Needs>(
  steps: AsyncIterable<Step<Context>>,
  turn: Turn<Needs, Adds>
): AsyncGenerator<Step<Context & Adds>, void> => {
  const course = steps instanceof Course ? steps : new Course(steps)
  return course.with(turn) as AsyncGenerator<Step<Context & Adds>, void>
}

/** The steps of a pipeline that starts here. */
export const startAt = <Context>(handoff: Handoff<Context>): AsyncGenerator<Handoff<Context>, void> =>
  new Course(handoff) as AsyncGenerator<Handoff<Context>, void>

/** Runs a pipeline to its handoff, and says what it has to say. */
export const run = <Context>(steps: AsyncIterable<Step<Context>>, say: Say): Promise<Handoff<Context>> =>
  (steps instanceof Course ? steps.run(say) : takeTurnsBehind(steps, [], say)) as Promise<Handoff<Context>>

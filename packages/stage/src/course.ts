import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from './duplex.ts'
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
type Result = IteratorResult<Step<unknown>, void>

/** Where a course starts: at a handoff, or behind steps that somebody else makes. */
type Start = Handoff<unknown> | AsyncIterable<Step<unknown>>

interface Wanted {
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

const finished: Result = { done: true, value: undefined }

/**
 * Stages in a row, as the async iterator of their steps. Whoever knows it for what it is can `run` it instead: then a
 * whole pipeline is one loop over turns, and no step goes through the iterators of the stages behind it.
 */
class Course implements AsyncGenerator<Step<unknown>, void> {
  readonly #start: Start
  readonly #turns: AnyTurn[] = []
  #running: Promise<void> | undefined
  #over = false
  #proceed: (() => void) | undefined
  #leave: ((reason: unknown) => void) | undefined
  /** Those who wait for a step, where somebody iterates. */
  #wanted: Wanted[] = []

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
    if ('frames' in start) return takeTurns(this.#turns, start, say)
    return comeTo(start, say).then((handoff) => takeTurns(this.#turns, handoff, say))
  }

  next(): Promise<Result> {
    if (this.#over) return Promise.resolve(finished)
    return new Promise((resolve, reject) => {
      this.#wanted.push({ resolve, reject })
      this.#proceed?.()
      this.#running ??= this.#iterate()
    })
  }

  async return(): Promise<IteratorResult<never, void>> {
    this.#over = true
    if (this.#running === undefined && !('frames' in this.#start)) {
      await this.#start[Symbol.asyncIterator]().return?.()
    }
    this.#leave?.(new ClosedError())
    await this.#running
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<Result> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #iterate(): Promise<void> {
    try {
      const value = await this.run((bytes) => this.#offer(bytes))
      this.#wanted.shift()?.resolve({ done: false, value })
    } catch (error) {
      this.#wanted.shift()?.reject(error)
    }
    this.#over = true
    for (const { resolve } of this.#wanted.splice(0)) resolve(finished)
  }

  /** Gives the bytes to whoever waits for a step, and goes on when the next one is wanted. */
  #offer(value: Bytes): Promise<void> | undefined {
    if (this.#over) return Promise.reject(new ClosedError())
    this.#wanted.shift()?.resolve({ done: false, value })
    if (this.#wanted.length > 0) return undefined
    return new Promise((resolve, reject) => {
      this.#proceed = resolve
      this.#leave = reject
    })
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

/** Says what others have to say, up to their handoff. */
const comeTo = async (steps: AsyncIterable<Step<unknown>>, say: Say): Promise<Handoff<unknown>> => {
  for await (const step of steps) {
    if (isHandoff(step)) return step
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
  (steps instanceof Course ? steps.run(say) : comeTo(steps, say)) as Promise<Handoff<Context>>

import { Iterating, type Result } from './iterating.ts'
import { isHandoff, specimen, type Handoff, type Step } from './handoff.ts'
import { takeTurns, type Ending } from './run.ts'
import type { Say } from './say.ts'
import type { Turn } from './turn.ts'
import { keepSpecimens } from './specimens.ts'

/** Where a course starts: at a handoff, or behind steps that somebody else makes. */
type Start = Handoff<unknown> | AsyncIterable<Step<unknown>>

const none: readonly Turn[] = []

/**
 * Stages in a row, as the async iterator of their steps. Whoever knows it for what it is can `run` it instead: then a
 * whole pipeline is one loop over turns, and no step goes through the iterators of the stages behind it.
 */
class Course implements AsyncGenerator<Step<unknown>, void> {
  readonly #start: Start
  #turns: readonly Turn[] = none
  #iterating: Iterating | undefined

  constructor(start: Start) {
    this.#start = start
  }

  /** The same course, and then these turns. */
  with(turns: readonly Turn[]): this {
    this.#turns = this.#turns === none ? turns : [...this.#turns, ...turns]
    return this
  }

  run(say: Say, ending: Ending): void {
    const start = this.#start
    if ('frames' in start) takeTurns(this.#turns, start, say, ending)
    else takeTurnsBehind(start, this.#turns, say, ending)
  }

  next(): Promise<Result> {
    this.#iterating ??= new Iterating((say) => soon((ending) => this.run(say, ending)))
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

keepSpecimens(new Course(specimen))

/** An ending as a promise. */
const soon = (run: (ending: Ending) => void): Promise<Handoff<unknown>> =>
  new Promise((handedOver, failed) => {
    run({ handedOver, failed })
  })

/** Says what others have to say, and takes turns on their handoff; they are let go of when that is over. */
const takeTurnsBehind = (
  steps: AsyncIterable<Step<unknown>>,
  turns: readonly Turn[],
  say: Say,
  ending: Ending
): void => {
  const handedOver = async (): Promise<Handoff<unknown>> => {
    for await (const step of steps) {
      if (isHandoff(step)) return await soon((own) => takeTurns(turns, step, say, own))
      await say(step)
    }
    throw new Error('the pipeline ended without a handoff')
  }
  handedOver().then(
    (handoff) => ending.handedOver(handoff),
    (error: unknown) => ending.failed(error)
  )
}

/** The steps of a pipeline that goes on with these turns. */
export const goOn = <Adds, Context>(
  steps: AsyncIterable<Step<Context>>,
  turns: readonly Turn[]
): AsyncGenerator<Step<Context & Adds>, void> => {
  const course = steps instanceof Course ? steps : new Course(steps)
  return course.with(turns) as AsyncGenerator<Step<Context & Adds>, void>
}

/** The steps of a pipeline that starts here. */
export const startAt = <Context>(handoff: Handoff<Context>): AsyncGenerator<Handoff<Context>, void> =>
  new Course(handoff) as AsyncGenerator<Handoff<Context>, void>

/** Runs a pipeline to its handoff, and says what it has to say. */
export const run = (steps: AsyncIterable<Step<unknown>>, say: Say, ending: Ending): void => {
  if (steps instanceof Course) steps.run(say, ending)
  else takeTurnsBehind(steps, [], say, ending)
}

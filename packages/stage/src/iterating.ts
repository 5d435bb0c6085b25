import { ClosedError } from '@it-socks/protocol'
import type { Bytes } from './duplex.ts'
import type { Handoff, Step } from './handoff.ts'
import type { Say } from './say.ts'

export type Result = IteratorResult<Step<unknown>, void>

interface Settle<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

const finished: Result = { done: true, value: undefined }

/** Turns what pushes its bytes into what is pulled: what is said waits to be taken, and who said it waits for that. */
export class Iterating {
  readonly #run: ((say: Say) => Promise<Handoff<unknown>>) | undefined
  #running: Promise<void> | undefined
  /** No more comes. */
  #isOver = false
  /** What has come and nobody has taken: bytes, then the handoff or the failure. */
  readonly #come: Array<Promise<Result>> = []
  /** Who waits for a step. */
  readonly #wanted: Array<Settle<Result>> = []
  /** Who has said something, and waits for the next step to be wanted. */
  readonly #held: Array<Settle<void>> = []

  /** @param run what is to be iterated; nothing, where that is over before it has begun */
  constructor(run: ((say: Say) => Promise<Handoff<unknown>>) | undefined) {
    this.#run = run
    this.#isOver = run === undefined
  }

  next(): Promise<Result> {
    const come = this.#come.shift()
    for (const { resolve } of this.#held.splice(0)) resolve()
    if (come !== undefined) return come
    if (this.#isOver) return Promise.resolve(finished)
    return new Promise((resolve, reject) => {
      this.#wanted.push({ resolve, reject })
      this.#running ??= this.#start()
    })
  }

  /** Nobody wants any more of it. Resolves when it has cleaned up. */
  async leave(): Promise<void> {
    this.#isOver = true
    this.#come.length = 0
    for (const { reject } of this.#held.splice(0)) reject(new ClosedError())
    await this.#running
  }

  async #start(): Promise<void> {
    try {
      const value = await this.#run!((bytes) => this.#say(bytes))
      this.#give(Promise.resolve({ done: false, value }))
    } catch (error) {
      this.#give(Promise.reject(error))
    }
    this.#isOver = true
    for (const { resolve } of this.#wanted.splice(0)) resolve(finished)
  }

  #say(value: Bytes): Promise<void> | undefined {
    if (this.#isOver) return Promise.reject(new ClosedError())
    this.#give(Promise.resolve({ done: false, value }))
    if (this.#wanted.length > 0) return undefined
    return new Promise((resolve, reject) => this.#held.push({ resolve, reject }))
  }

  #give(result: Promise<Result>): void {
    const wanted = this.#wanted.shift()
    if (wanted !== undefined) result.then(wanted.resolve, wanted.reject)
    else if (!this.#isOver) this.#come.push(result)
    // Whoever takes it later hears of it; nobody does who has left.
    result.catch(() => {})
  }
}

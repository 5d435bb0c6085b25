import type { TimeLimit } from './signal.ts'
import { keepSpecimens } from './specimens.ts'
import type { Turn } from './turn.ts'

/** Turns in a row, some of which have been taken. */
export class Row {
  /** Who goes on after them. */
  readonly outer: Row | undefined
  /** How long they may take. */
  readonly limit: TimeLimit | undefined
  readonly #turns: readonly Turn[]
  #taken = 0

  constructor(turns: readonly Turn[], outer: Row | undefined, limit: TimeLimit | undefined) {
    this.#turns = turns
    this.outer = outer
    this.limit = limit
  }

  next(): Turn | undefined {
    return this.#turns[this.#taken++]
  }
}

keepSpecimens(new Row([], undefined, undefined))

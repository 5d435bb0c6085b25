import { attempt } from './attempt.ts'
import { LinkedList, type Linked } from './linked-list.ts'
import { keepSpecimens } from './specimens.ts'

/** Node lets a timer of more milliseconds than this go off at once. */
const longestTimer = 2 ** 31 - 1

/**
 * All alarms of one length, in the order in which they were set, which is the order in which they are due: one timer serves
 * them all.
 */
class Span {
  readonly milliseconds: number
  readonly alarms = new LinkedList<Alarm>()
  #timer: ReturnType<typeof setTimeout> | undefined = undefined
  /** When the timer goes off. */
  #due = Infinity

  constructor(milliseconds: number) {
    this.milliseconds = milliseconds
  }

  add(alarm: Alarm): void {
    this.alarms.add(alarm)
    if (this.#timer === undefined) this.#wind(alarm)
  }

  /** Where nobody waits any more. There may be another one by now: the last to be stopped puts it away, and so may who goes off. */
  putAway(): void {
    clearTimeout(this.#timer)
    if (spans.get(this.milliseconds) === this) spans.delete(this.milliseconds)
  }

  /** Sets the timer for the first who waits. */
  #wind({ due }: Alarm): void {
    const now = performance.now()
    // Node cuts a fraction off, and the timer would be early.
    const left = Math.min(Math.ceil(Math.max(due - now, 0)), longestTimer)
    this.#timer = setTimeout(() => this.#goOff(), left)
    this.#due = now + left
  }

  #goOff(): void {
    // A timer may be early by less than a millisecond, and is right about the time in tests that fake it.
    const now = Math.max(performance.now() + 1, this.#due)
    const { alarms } = this
    while (alarms.first !== undefined && alarms.first.due <= now) alarms.first.goOff()
    if (alarms.first === undefined) this.putAway()
    else this.#wind(alarms.first)
  }
}

const spans = new Map<number, Span>()

/** Calls somebody when so many milliseconds have passed, however many: `Infinity` is never. */
export class Alarm implements Linked<Alarm> {
  readonly due: number
  before: Alarm | undefined = undefined
  behind: Alarm | undefined = undefined
  readonly #act: () => void
  #span: Span | undefined = undefined

  constructor(milliseconds: number, act: () => void) {
    this.#act = act
    this.due = performance.now() + milliseconds
    if (milliseconds === Infinity) return
    this.#span = spans.get(milliseconds)
    if (this.#span === undefined) spans.set(milliseconds, (this.#span = new Span(milliseconds)))
    this.#span.add(this)
  }

  stop(): void {
    const span = this.#span
    if (span === undefined) return
    this.#leave(span)
    if (span.alarms.size === 0) span.putAway()
  }

  goOff(): void {
    this.#leave(this.#span!)
    attempt(this.#act)
  }

  #leave(span: Span): void {
    this.#span = undefined
    span.alarms.remove(this)
  }
}

const span = new Span(1)
const alarm = new Alarm(Infinity, () => {})
span.add(alarm)
span.alarms.remove(alarm)
span.putAway()
keepSpecimens(span, alarm)

/**
 * Calls `act` after so many milliseconds, however many: `Infinity` is never. Returns what stops the clock. Many clocks of
 * one span cost one timer.
 */
export const after = (milliseconds: number, act: () => void): (() => void) => {
  const alarm = new Alarm(milliseconds, act)
  return () => alarm.stop()
}

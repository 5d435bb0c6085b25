import { attempt } from './attempt.ts'

/** Node lets a timer of more milliseconds than this go off at once. */
const longestTimer = 2 ** 31 - 1

interface Waiting {
  readonly due: number
  readonly act: () => void
}

/**
 * All who wait for one span of time, in the order in which they began, which is the order in which they are due: one timer
 * serves them all.
 */
interface Span {
  readonly waiting: Set<Waiting>
  timer: ReturnType<typeof setTimeout>
  /** When the timer goes off. */
  due: number
}

const spans = new Map<number, Span>()

/** Sets a span's timer for the first who waits. */
const wind = (milliseconds: number, span: Pick<Span, 'waiting'>, { due }: Waiting): Span => {
  const now = performance.now()
  // Node cuts a fraction off, and the timer would be early.
  const left = Math.min(Math.ceil(Math.max(due - now, 0)), longestTimer)
  return Object.assign(span, { timer: setTimeout(goOff, left, milliseconds), due: now + left })
}

const goOff = (milliseconds: number): void => {
  const span = spans.get(milliseconds)
  if (span === undefined) return
  // A timer may be early by less than a millisecond, and is right about the time in tests that fake it.
  const now = Math.max(performance.now() + 1, span.due)
  for (const waiting of span.waiting) {
    if (waiting.due > now) break
    span.waiting.delete(waiting)
    attempt(waiting.act)
  }
  // Whoever was the last to be stopped meanwhile has put the span away.
  if (spans.get(milliseconds) !== span) return
  const [next] = span.waiting
  if (next === undefined) spans.delete(milliseconds)
  else wind(milliseconds, span, next)
}

/**
 * Calls `act` after so many milliseconds, however many: `Infinity` is never. Returns what stops the clock. Many clocks of
 * one span cost one timer.
 */
export const after = (milliseconds: number, act: () => void): (() => void) => {
  if (milliseconds === Infinity) return () => {}
  const waiting: Waiting = { due: performance.now() + milliseconds, act }
  let span = spans.get(milliseconds)
  if (span === undefined) spans.set(milliseconds, (span = wind(milliseconds, { waiting: new Set() }, waiting)))
  const { waiting: all } = span
  all.add(waiting)
  return () => {
    if (!all.delete(waiting) || all.size > 0) return
    clearTimeout(span.timer)
    spans.delete(milliseconds)
  }
}

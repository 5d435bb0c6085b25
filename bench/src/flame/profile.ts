/** What V8 writes for `--cpu-prof`: a tree of functions, and which of them ran when it looked. */
export interface Profile {
  readonly nodes: readonly ProfileNode[]
  /** On the kernel's monotonic clock, in microseconds, as all times here. */
  readonly startTime: number
  /** The function that ran, by its number, each time. */
  readonly samples: readonly number[]
  /** How long after the last look each one was; the first, after the start. */
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: CallFrame
  readonly children?: readonly number[]
}

export interface CallFrame {
  readonly functionName: string
  /** Empty for what is no JavaScript. */
  readonly url: string
  /** Counts from 0. */
  readonly lineNumber: number
}

/** From when to when, on the clock of the profile. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** The time that each function ran itself in a span, by its number. What a look finds counts until the next one. */
export const selfTimes = ({ startTime, samples, timeDeltas }: Profile, { from, to }: Span): Map<number, number> => {
  const times = new Map<number, number>()
  let now = startTime
  samples.forEach((id, index) => {
    now += timeDeltas[index]!
    const next = now + (timeDeltas[index + 1] ?? 0)
    const time = Math.min(next, to) - Math.max(now, from)
    if (time > 0) times.set(id, (times.get(id) ?? 0) + time)
  })
  return times
}

/** The value below which this part of the values lies, between two of them where it falls there. */
export const quantile = (values: ArrayLike<number>, part: number): number => {
  const sorted = Float64Array.from(values).toSorted()
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * part
  const low = Math.floor(at)
  return sorted[low]! + (sorted[Math.ceil(at)]! - sorted[low]!) * (at - low)
}

/** Several measurements of the same in few numbers. */
export interface Summary {
  readonly median: number
  /** The quartiles: half of the values lie between them. */
  readonly low: number
  readonly high: number
  readonly values: readonly number[]
}

export const summarize = (values: readonly number[]): Summary => ({
  median: quantile(values, 0.5),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75),
  values
})

/**
 * How one relates to another that was measured in the same rounds: round by round, for those that are neighbours in time have
 * more in common than medians have.
 */
export const ratio = (one: Summary, other: Summary): Summary =>
  summarize(one.values.slice(0, other.values.length).map((value, round) => value / other.values[round]!))

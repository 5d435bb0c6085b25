import { describe, expect, it } from 'vitest'
import { quantile, ratio, summarize } from '../src/report/statistics.ts'

describe('quantile', () => {
  it.each([
    [[5], 0.5, 5],
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[0, 10], 0.25, 2.5],
    [[0, 10, 20, 30, 40], 0.99, 39.6],
    [[-1, -10], 0, -10],
    [[2, 1], 1, 2]
  ])('of %j at %d is %d', (values, part, expected) => {
    expect(quantile(values, part)).toBeCloseTo(expected)
  })

  it('of nothing is no number', () => {
    expect(quantile([], 0.5)).toBeNaN()
  })

  it('leaves its values in their order', () => {
    const values = [3, 1, 2]
    quantile(values, 0.5)
    expect(values).toEqual([3, 1, 2])
  })
})

describe('summarize', () => {
  it('gives the median between the quartiles, and all values', () => {
    expect(summarize([50, 10, 20, 30, 40])).toEqual({ median: 30, low: 20, high: 40, values: [50, 10, 20, 30, 40] })
  })
})

describe('ratio', () => {
  it('is that of each round, for a slow one slows both', () => {
    expect(ratio(summarize([1, 20, 3]), summarize([2, 40, 6])).values).toEqual([0.5, 0.5, 0.5])
  })

  it('is of the rounds that both have', () => {
    expect(ratio(summarize([1, 2, 3]), summarize([1])).values).toEqual([1])
    expect(ratio(summarize([1]), summarize([2, 2])).values).toEqual([0.5])
  })
})

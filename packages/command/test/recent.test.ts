import { describe, expect, it } from 'vitest'
import { recent } from '../src/udp/recent.ts'

describe('a map of recent entries', () => {
  it('forgets what was not asked for for longest', () => {
    const map = recent<number>(2)
    map.set('one', 1)
    map.set('two', 2)
    expect(map.get('one')).toBe(1)
    map.set('three', 3)
    expect(['one', 'two', 'three'].map((key) => map.get(key))).toEqual([1, undefined, 3])
  })

  it('has one entry for each key: the last that was set', () => {
    const map = recent<number>(2)
    map.set('one', 1)
    map.set('two', 2)
    map.set('one', 10)
    map.set('three', 3)
    expect(['one', 'two', 'three'].map((key) => map.get(key))).toEqual([10, undefined, 3])
  })
})

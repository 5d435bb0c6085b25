import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LinkedList, type Linked } from '@it-socks/stage'

interface Item extends Linked<Item> {
  readonly name: number
}

const item = (name: number): Item => ({ name, before: undefined, behind: undefined })
const names = (items: Iterable<Item>): number[] => Array.from(items, ({ name }) => name)

describe('a linked list', () => {
  it('keeps its items in the order in which they came, whoever leaves', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(), { nil: undefined })), (acts) => {
        const list = new LinkedList<Item>()
        let expected: Item[] = []
        acts.forEach((leaves, name) => {
          const leaving = leaves === undefined ? undefined : expected[leaves % expected.length]
          if (leaving === undefined) {
            const coming = item(name)
            list.add(coming)
            expected.push(coming)
          } else {
            list.remove(leaving)
            expected = expected.filter((one) => one !== leaving)
          }
          expect(names(list)).toEqual(names(expected))
          expect(list.size).toBe(expected.length)
          expect(list.first).toBe(expected[0])
        })
      })
    )
  })

  it('leaves nothing behind in what has left: the collector would keep all that came later', () => {
    const list = new LinkedList<Item>()
    const [first, second, third] = [item(1), item(2), item(3)]
    for (const each of [first, second, third]) list.add(each)
    list.remove(second)
    expect(second).toEqual(item(2))
    expect(first.behind).toBe(third)
    expect(third.before).toBe(first)
  })

  it('may lose items while somebody goes through it, and take them again', () => {
    const list = new LinkedList<Item>()
    const items = [item(1), item(2), item(3)]
    for (const each of items) list.add(each)
    const seen: number[] = []
    for (const each of list) {
      seen.push(each.name)
      for (const other of items.splice(0)) list.remove(other)
    }
    expect(seen).toEqual([1, 2, 3])
    expect(list.size).toBe(0)
    const again = item(4)
    list.add(again)
    expect(names(list)).toEqual([4])
  })
})

/** Who has a place in a {@link LinkedList}, and so knows its neighbours. */
export interface Linked<Item> {
  before: Item | undefined
  behind: Item | undefined
}

/**
 * Items in the order in which they came. One comes or leaves in the same time however many there are, and what has left
 * leads to nobody.
 *
 * A `Set` of what comes and goes by the thousand is dear to the collector: V8 has a table that it outgrew point to the next
 * one, so that one which waits in the old generation to be collected keeps alive all that came later.
 *
 * @example
 *
 * ```ts
 * import { LinkedList, type Linked } from '@it-socks/stage'
 *
 * interface Guest extends Linked<Guest> {
 *   readonly name: string
 * }
 * const ann: Guest = { name: 'Ann', before: undefined, behind: undefined }
 * const guests = new LinkedList<Guest>()
 * guests.add(ann)
 * Array.from(guests, ({ name }) => name) // => ['Ann']
 * guests.remove(ann)
 * guests.size // => 0
 * ```
 */
export class LinkedList<Item extends Linked<Item>> implements Iterable<Item> {
  #first: Item | undefined = undefined
  #last: Item | undefined = undefined
  #size = 0

  get first(): Item | undefined {
    return this.#first
  }

  get size(): number {
    return this.#size
  }

  /** Adds one that is in no list. */
  add(item: Item): void {
    const last = this.#last
    item.before = last
    if (last === undefined) this.#first = item
    else last.behind = item
    this.#last = item
    this.#size += 1
  }

  /** Removes one that is in this list. */
  remove(item: Item): void {
    const { before, behind } = item
    item.before = item.behind = undefined
    if (before === undefined) this.#first = behind
    else before.behind = behind
    if (behind === undefined) this.#last = before
    else behind.before = before
    this.#size -= 1
  }

  /** Those that are in it now, whoever leaves meanwhile. */
  [Symbol.iterator](): IterableIterator<Item> {
    const items: Item[] = []
    for (let item = this.#first; item !== undefined; item = item.behind) items.push(item)
    return items.values()
  }
}

import { LinkedList, type Linked } from '@it-socks/stage'

/** A map of so many entries at most: beyond that it forgets what was not asked for for longest. */
export interface Recent<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
}

interface Entry<Value> extends Linked<Entry<Value>> {
  readonly key: string
  readonly value: Value
}

export const recent = <Value>(limit: number): Recent<Value> => {
  const entries = new Map<string, Entry<Value>>()
  const byUse = new LinkedList<Entry<Value>>()

  const forget = (entry: Entry<Value> | undefined): void => {
    if (entry === undefined) return
    byUse.remove(entry)
    entries.delete(entry.key)
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      byUse.remove(entry)
      byUse.add(entry)
      return entry.value
    },
    set(key, value) {
      forget(entries.get(key))
      const entry: Entry<Value> = { key, value, before: undefined, behind: undefined }
      entries.set(key, entry)
      byUse.add(entry)
      if (byUse.size > limit) forget(byUse.first)
    }
  }
}

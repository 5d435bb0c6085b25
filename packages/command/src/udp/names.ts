import { addressType, canonicalHost } from '@it-socks/protocol'
import type { Resolve } from '@it-socks/stage'
import { familyOf } from './reach.ts'
import { recent } from './recent.ts'

/** The IP addresses of a domain, best first; `undefined` where it has none. */
type Answer = readonly string[] | undefined

interface NamesOptions {
  /** How many names are remembered. */
  limit: number
  /** The family of which an answer comes first: that of the relay socket, which has a way out. */
  prefer: 4 | 6
  signal: AbortSignal
}

/** The names of an association, resolved once each. */
export interface Names {
  /** What a name was resolved to, if it was. */
  known(name: string): Answer
  /**
   * Resolves a name that is not known. `found` is called once, after those that had asked for the same name before; not
   * any more where the signal has aborted.
   */
  lookUp(name: string, found: (answer: Answer) => void): void
}

/**
 * Remembers the `limit` names that were used last, as long as the association lasts: its datagrams to one name then all
 * go to one peer. Failures are not remembered, but who asks while a lookup is under way shares it.
 */
export const openNames = (resolve: Resolve, { limit, prefer, signal }: NamesOptions): Names => {
  const answers = recent<readonly string[]>(limit)
  const pending = new Map<string, Array<(answer: Answer) => void>>()

  const ask = async (name: string): Promise<Answer> => {
    try {
      const found = await resolve(name, { signal })
      // A name among them would be looked up again, behind the back of the rules.
      const ips = found.map(canonicalHost).filter((ip) => addressType(ip) !== 'domain')
      const preferred = ips.filter((ip) => familyOf(ip) === prefer)
      return ips.length > 0 ? [...preferred, ...ips.filter((ip) => familyOf(ip) !== prefer)] : undefined
    } catch {
      // Whatever went wrong, the client cannot be told: UDP has no way to say so.
      return undefined
    }
  }

  const answerAll = async (name: string, waiting: ReadonlyArray<(answer: Answer) => void>): Promise<void> => {
    const answer = await ask(name)
    pending.delete(name)
    if (signal.aborted) return
    if (answer !== undefined) answers.set(name, answer)
    for (const found of waiting) found(answer)
  }

  return {
    known: (name) => answers.get(name),
    lookUp(name, found) {
      const waiting = pending.get(name) ?? []
      waiting.push(found)
      if (waiting.length > 1) return
      pending.set(name, waiting)
      void answerAll(name, waiting)
    }
  }
}

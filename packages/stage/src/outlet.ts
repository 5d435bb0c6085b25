import type { Bytes } from './duplex.ts'

/** What a connection is to be sent, while it is not yet known where that comes from in the end. */
export interface Outlet {
  /** For the connection's sink. */
  readonly source: AsyncIterable<Bytes>
  /** Sends these bytes. Never waits: what stages say is a few bytes, and a peer that does not read must not stop them. */
  readonly say: (bytes: Bytes) => void
  /** Sends all of this, and then the end. From here on nothing stands in between. */
  follow(source: AsyncIterable<Bytes>): void
  /** Sends the end. */
  end(): void
}

const finished: IteratorResult<Bytes, void> = { done: true, value: undefined }

export const openOutlet = (): Outlet => {
  const said: Bytes[] = []
  let following: AsyncIterator<Bytes> | undefined
  let ended = false
  let wake = (): void => {}

  const next = async (): Promise<IteratorResult<Bytes>> => {
    for (;;) {
      const value = said.shift()
      if (value !== undefined) return { done: false, value }
      if (following !== undefined) return following.next()
      if (ended) return finished
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }

  return {
    source: {
      [Symbol.asyncIterator]: () => ({
        next: () => (following !== undefined && said.length === 0 ? following.next() : next()),
        async return() {
          ended = true
          wake()
          await following?.return?.()
          return finished
        }
      })
    },
    say(bytes) {
      said.push(bytes)
      wake()
    },
    follow(source) {
      following = source[Symbol.asyncIterator]()
      // Nobody sends any more: let what would have come know.
      if (ended) following.return?.().catch(() => {})
      wake()
    },
    end() {
      ended = true
      wake()
    }
  }
}

import type { Bytes } from './duplex.ts'

/** What a connection is to be sent, while it is not yet known where that comes from in the end. */
export interface Outlet {
  /** For the connection's sink. */
  readonly source: AsyncIterable<Bytes>
  /**
   * Sends these bytes. What stages say is a few bytes, and a peer that does not read must not stop them: this waits for
   * the peer only where more than 64 KiB lie here.
   */
  readonly say: (bytes: Bytes) => Promise<void>
  /** Sends all of this, and then the end. From here on nothing stands in between. */
  follow(source: AsyncIterable<Bytes>): void
  /** Sends the end. */
  end(): void
}

const limit = 64 * 1024
const finished: IteratorResult<Bytes, void> = { done: true, value: undefined }

export const openOutlet = (): Outlet => {
  const said: Bytes[] = []
  let following: AsyncIterator<Bytes> | undefined
  let ended = false
  let waiting = 0
  let wake = (): void => {}
  let proceed = (): void => {}

  const next = async (): Promise<IteratorResult<Bytes>> => {
    for (;;) {
      const value = said.shift()
      if (value !== undefined) {
        waiting -= value.byteLength
        if (waiting <= limit) proceed()
        return { done: false, value }
      }
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
          proceed()
          await following?.return?.()
          return finished
        }
      })
    },
    async say(bytes) {
      if (ended) return
      said.push(bytes)
      waiting += bytes.byteLength
      wake()
      if (waiting <= limit) return
      await new Promise<void>((resolve) => {
        proceed = resolve
      })
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

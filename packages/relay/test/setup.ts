import { setImmediate as turn } from 'node:timers/promises'
import type { Bytes, ByteDuplex } from '@it-socks/stage'

/** A source that says these chunks and ends. */
export const say = async function* (...chunks: Bytes[]): AsyncGenerator<Bytes, void> {
  yield* chunks
}

/** A source that says these chunks, then nothing, and never ends. */
export const open = async function* (...chunks: Bytes[]): AsyncGenerator<Bytes, void> {
  yield* chunks
  await new Promise(() => {})
}

/** All the bytes of a source. */
export const all = async (source: AsyncIterable<Bytes>): Promise<Uint8Array> => {
  const heard: Uint8Array[] = []
  for await (const bytes of source) heard.push(bytes.subarray())
  return Uint8Array.from(Buffer.concat(heard))
}

export const iterate = (duplex: ByteDuplex): AsyncIterator<Bytes> => duplex.source[Symbol.asyncIterator]()

/** What a promise fails with. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing: it came through',
    (reason: unknown) => reason
  )

/** What each promise fails with. */
export const failuresOf = (...promises: Array<Promise<unknown>>): Promise<unknown[]> =>
  Promise.all(promises.map(failureOf))

/** Turns the event loop until `count` has stood still for so many turns: nothing moves any more. */
export const standstill = async (count: () => number, turns = 50): Promise<number> => {
  let last = count()
  for (let still = 0; still < turns; still++) {
    await turn()
    if (count() !== last) still = 0
    last = count()
  }
  return last
}

/** An endless source that counts the chunks it was asked for. */
export const flood = (size: number) => {
  const state = { said: 0, returned: false }
  const chunk = new Uint8Array(size)
  const source = (async function* (): AsyncGenerator<Bytes, void> {
    try {
      for (;;) {
        state.said += 1
        yield chunk
      }
    } finally {
      state.returned = true
    }
  })()
  return { state, source }
}

import type { Bytes } from '@it-socks/stage'
import { failureOf } from '../../../test/support/duplex.ts'

export { failureOf, iterate, say } from '../../../test/support/duplex.ts'
export { standstill } from '../../../test/support/process.ts'

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

/** What each promise fails with. */
export const failuresOf = (...promises: Array<Promise<unknown>>): Promise<unknown[]> =>
  Promise.all(promises.map(failureOf))

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

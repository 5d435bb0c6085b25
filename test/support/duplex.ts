import type { Bytes, ByteDuplex } from '@it-socks/stage'

/** A source that says these chunks and ends. */
export const say = async function* (...chunks: Bytes[]): AsyncGenerator<Bytes, void> {
  yield* chunks
}

/** A source that says nothing until it is returned; `state.returned` says whether it was. */
export const silence = () => {
  const state = { returned: false }
  const waiting: Array<(result: IteratorResult<Bytes, void>) => void> = []
  const source: AsyncIterableIterator<Bytes, void> = {
    [Symbol.asyncIterator]: () => source,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    async return() {
      state.returned = true
      for (const resolve of waiting.splice(0)) resolve({ done: true, value: undefined })
      return { done: true, value: undefined }
    }
  }
  return { state, source }
}

/** All the bytes of a source. */
export const all = async (source: AsyncIterable<Bytes>): Promise<Buffer> => {
  const heard: Uint8Array[] = []
  for await (const bytes of source) heard.push(bytes.subarray())
  return Buffer.concat(heard)
}

export const iterate = (duplex: ByteDuplex): AsyncIterator<Bytes> => duplex.source[Symbol.asyncIterator]()

/** What a read has brought, as text. */
export const textOf = (result: IteratorResult<Bytes> | undefined): string =>
  Buffer.from((result?.value as Bytes | undefined)?.subarray() ?? []).toString()

/** What a promise fails with. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing: it came through',
    (reason: unknown) => reason
  )

/** Bytes that say where they are. */
export const pattern = (length: number): Uint8Array => {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 2_654_435_761)
  return new Uint8Array(words.buffer, 0, length)
}

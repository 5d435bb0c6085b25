import type { Bytes } from '@it-socks/stage'

/** Tells how many bytes pass. Every relay has two of these, so it is an iterator and not a generator: half the cost. */
export const meter = (source: AsyncIterable<Bytes>, passed: (length: number) => void): AsyncIterable<Bytes> => ({
  [Symbol.asyncIterator]() {
    const iterator = source[Symbol.asyncIterator]()
    return {
      async next() {
        const result = await iterator.next()
        if (result.done !== true) passed(result.value.byteLength)
        return result
      },
      async return() {
        await iterator.return?.()
        return { done: true, value: undefined }
      }
    }
  }
})

import type { Bytes, ByteDuplex } from '@it-socks/stage'
import { ClosedError, type Address } from '@it-socks/protocol'

/** A duplex in memory, with all that a duplex may have. */
export interface MemoryDuplex extends ByteDuplex {
  abort(reason: unknown): void
}

export interface DuplexPairOptions {
  /** The addresses of the two ends. Default: 192.0.2.1:1 and 192.0.2.2:2. */
  addresses?: readonly [Address, Address]
}

/**
 * Two ends of one connection, in memory: what one end's sink is given comes out of the other end's source, chunk by
 * chunk. It half-closes, resets and holds back its writer as a socket does, except that it holds one chunk at most.
 *
 * @example
 *
 * ```ts
 * import { duplexPair } from '@it-socks/testing'
 *
 * const [near, far] = duplexPair()
 * near.sink((async function* () { yield Uint8Array.of(1, 2, 3) })())
 * for await (const bytes of far.source) {
 *   bytes.byteLength // => 3
 * }
 * ```
 */
export const duplexPair = ({
  addresses = [
    { host: '192.0.2.1', port: 1 },
    { host: '192.0.2.2', port: 2 }
  ]
}: DuplexPairOptions = {}): [MemoryDuplex, MemoryDuplex] => {
  const there = channel()
  const back = channel()
  const end = (incoming: Channel, outgoing: Channel, [local, remote]: readonly [Address, Address]): MemoryDuplex => {
    const abort = (error: unknown): void => {
      incoming.breakOff(error, new ClosedError('the peer reset the connection'))
      outgoing.breakOff(new ClosedError('the peer reset the connection'), error)
    }
    return {
      source: incoming.source,
      async sink(source) {
        try {
          await outgoing.sink(source)
        } catch (error) {
          abort(error)
          throw error
        }
      },
      localAddress: local,
      remoteAddress: remote,
      abort
    }
  }
  return [end(back, there, addresses), end(there, back, [addresses[1], addresses[0]])]
}

/** One direction of a connection. */
interface Channel {
  readonly source: AsyncIterable<Bytes>
  readonly sink: ByteDuplex['sink']
  /** Fails the reader and the writer, each with its own error. */
  breakOff(reading: unknown, writing: unknown): void
}

interface Reader {
  resolve(result: IteratorResult<Bytes, void>): void
  reject(error: unknown): void
}

const finished = { done: true, value: undefined } as const

const channel = (): Channel => {
  const readers: Reader[] = []
  let held: { readonly bytes: Bytes; readonly taken: () => void } | undefined
  let ended = false
  let broken: { readonly reading: unknown; readonly writing: unknown } | undefined
  let stopSink: ((error: unknown) => void) | undefined

  /** Gives the readers that wait what there is for them. */
  const serve = (): void => {
    if (held !== undefined && readers.length > 0) {
      const { bytes, taken } = held
      held = undefined
      readers.shift()?.resolve({ done: false, value: bytes })
      taken()
    }
    if (!ended && broken === undefined) return
    for (const reader of readers.splice(0)) {
      if (ended) reader.resolve(finished)
      else reader.reject(broken?.reading)
    }
  }

  const end = (): void => {
    ended = true
    held = undefined
    serve()
  }

  const source: AsyncIterableIterator<Bytes, void> = {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      return new Promise((resolve, reject) => {
        readers.push({ resolve, reject })
        serve()
      })
    },
    async return() {
      end()
      return finished
    }
  }

  const hold = (bytes: Bytes): Promise<void> =>
    new Promise((taken) => {
      held = { bytes, taken }
      serve()
    })

  const write = async (iterator: AsyncIterator<Bytes>): Promise<void> => {
    for (;;) {
      const { done, value } = await iterator.next()
      if (broken !== undefined) throw broken.writing
      if (done === true) return end()
      await hold(value)
    }
  }

  return {
    source,
    sink: (source) =>
      new Promise((resolve, reject) => {
        const iterator = source[Symbol.asyncIterator]()
        stopSink = (error) => {
          reject(error)
          iterator.return?.().catch(() => {})
        }
        if (broken !== undefined) stopSink(broken.writing)
        else write(iterator).then(resolve, reject)
      }),
    breakOff(reading, writing) {
      broken ??= { reading, writing }
      held = undefined
      serve()
      stopSink?.(broken.writing)
    }
  }
}

import type { Bytes, ByteDuplex } from '@it-socks/stage'
import { ClosedError, type Address } from '@it-socks/protocol'
import { pushable } from 'it-pushable'

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
 * chunk. It half-closes, resets and holds back its writer as a socket does, except that it buffers one chunk at most.
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
  const end = (incoming: Channel, outgoing: Channel, [local, remote]: readonly [Address, Address]): MemoryDuplex => ({
    source: incoming.source,
    sink: outgoing.sink,
    localAddress: local,
    remoteAddress: remote,
    abort(error) {
      incoming.breakOff(error, new ClosedError('the peer reset the connection'))
      outgoing.breakOff(new ClosedError('the peer reset the connection'), error)
    }
  })
  return [end(back, there, addresses), end(there, back, [addresses[1], addresses[0]])]
}

/** One direction of a connection. */
interface Channel {
  readonly source: AsyncIterable<Bytes>
  readonly sink: ByteDuplex['sink']
  /** Fails the reader and the writer, each with its own error. */
  breakOff(reading: unknown, writing: unknown): void
}

const channel = (): Channel => {
  const queue = pushable<Bytes>({ objectMode: true })
  let broken: unknown
  let stopSink: ((error: unknown) => void) | undefined

  const breakOff = (reading: unknown, writing: unknown): void => {
    broken ??= writing
    queue.end(reading as Error)
    stopSink?.(writing)
  }

  const write = async (iterator: AsyncIterator<Bytes>): Promise<void> => {
    for (;;) {
      const { done, value } = await iterator.next()
      if (broken !== undefined) throw broken
      if (done === true) break
      queue.push(value)
      await queue.onEmpty()
    }
    queue.end()
  }

  return {
    source: queue,
    sink: (source) =>
      new Promise((resolve, reject) => {
        const iterator = source[Symbol.asyncIterator]()
        stopSink = (error) => {
          reject(error)
          iterator.return?.().catch(() => {})
        }
        if (broken !== undefined) stopSink(broken)
        write(iterator).then(resolve, (error: unknown) => {
          breakOff(error, error)
          reject(error)
        })
      }),
    breakOff
  }
}

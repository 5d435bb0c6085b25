import type { Address } from '@it-socks/protocol'

/** A datagram that came. */
export interface Received {
  /** The peer that sent it. */
  readonly from: Address
  readonly data: Uint8Array
}

export interface QueueLimits {
  /** How many datagrams may wait. Default: 1024. */
  maxQueued?: number
  /** How many bytes of data may wait. Default: 1 MiB. */
  maxQueuedBytes?: number
}

/** Datagrams that wait for who reads them, up to a limit. */
export interface DatagramQueue {
  /** `return` ends the queue, too. */
  readonly source: AsyncIterableIterator<Received, void>
  /** Whether there was room for it. */
  push(datagram: Received): boolean
  /** Lets the reader have what waits, and then the end. */
  end(): void
  /** Lets the reader have what waits, and then this. */
  fail(error: unknown): void
}

interface Reader {
  readonly resolve: (result: IteratorResult<Received, void>) => void
  readonly reject: (error: unknown) => void
}

const finished: IteratorResult<Received, void> = { done: true, value: undefined }

/** `left` is called when the reader leaves. */
export const datagramQueue = (
  { maxQueued = 1024, maxQueuedBytes = 2 ** 20 }: QueueLimits,
  left: () => void
): DatagramQueue => {
  const waiting: Received[] = []
  const readers: Reader[] = []
  let bytes = 0
  let over: { readonly error?: unknown } | undefined

  const finish = (ending: { readonly error?: unknown }): void => {
    over ??= ending
    for (const reader of readers.splice(0)) settle(reader)
  }

  const settle = ({ resolve, reject }: Reader): void => {
    const value = waiting.shift()
    if (value !== undefined) {
      bytes -= value.data.length
      resolve({ done: false, value })
    } else if (over !== undefined && 'error' in over) reject(over.error)
    else resolve(finished)
  }

  return {
    source: {
      [Symbol.asyncIterator]() {
        return this
      },
      next: () =>
        new Promise((resolve, reject) => {
          const reader = { resolve, reject }
          if (waiting.length > 0 || over !== undefined) settle(reader)
          else readers.push(reader)
        }),
      async return() {
        waiting.length = 0
        over = {}
        finish(over)
        left()
        return finished
      }
    },
    push(datagram) {
      if (over !== undefined) return false
      const reader = readers.shift()
      if (reader !== undefined) reader.resolve({ done: false, value: datagram })
      else if (waiting.length >= maxQueued || bytes + datagram.data.length > maxQueuedBytes) return false
      else {
        waiting.push(datagram)
        bytes += datagram.data.length
      }
      return true
    },
    end: () => finish({}),
    fail: (error) => finish({ error })
  }
}

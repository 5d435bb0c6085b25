import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { listen, type SocketDuplex } from '@it-socks/net'
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

/** A TCP connection on loopback: our end as a duplex, and the peer's as the plain socket that it has. */
export const connected = async (): Promise<{ ours: SocketDuplex; peer: Socket }> => {
  const listener = listen({ host: '127.0.0.1', port: 0 })
  const endpoint = await listener.listening
  const peer = connect({ port: 'port' in endpoint ? endpoint.port : 0, host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => {
    listener.close()
    peer.destroy()
  })
  const accepted = listener[Symbol.asyncIterator]().next()
  await once(peer, 'connect')
  const { value: ours } = await accepted
  listener.close()
  onTestFinished(() => ours.abort(new Error('the test is over')))
  return { ours, peer }
}

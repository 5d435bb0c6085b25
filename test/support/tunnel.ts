import { buffer } from 'node:stream/consumers'
import { connect, type ConnectOptions } from '@it-socks/client'
import type { Bytes, Tunnel } from '@it-socks/stage'
import { onTestFinished } from 'vitest'

/** Connects through a proxy as `connect` does; what is still open when the test is over is reset. */
export const open = async (options: ConnectOptions): Promise<Tunnel> => {
  const tunnel = await connect(options)
  onTestFinished(() => tunnel.abort?.(new Error('the test is over')))
  return tunnel
}

/** All that comes out of a source. */
export const bytesOf = (source: AsyncIterable<Bytes>): Promise<Buffer> => buffer(arrays(source))

/** All that comes out of a source, as text. */
export const textOf = async (source: AsyncIterable<Bytes>): Promise<string> => (await bytesOf(source)).toString()

const arrays = async function* (source: AsyncIterable<Bytes>): AsyncGenerator<Uint8Array, void> {
  for await (const bytes of source) yield bytes.subarray()
}

/** What to give a sink: so many chunks, then the end. */
export const say = async function* (...chunks: Array<string | Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

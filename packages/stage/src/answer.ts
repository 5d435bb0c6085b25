import { ProxyClosedError, SocksError, TruncatedError, type Message } from '@it-socks/protocol'
import type { Frames } from './reader.ts'

/**
 * Reads what a proxy owes its client. Where nothing comes any more, that is the proxy's failure, by name.
 *
 * @throws {ProxyClosedError} where the connection ends or breaks before the first byte
 * @throws {MalformedError} for an answer that is none
 */
export const readAnswer = async <T>(frames: Frames, message: Message<T>): Promise<T> => {
  try {
    return await frames.read(message)
  } catch (cause) {
    const named = cause instanceof SocksError
    const nothingCame = cause instanceof TruncatedError && cause.received === 0
    if (named && !nothingCame) throw cause
    throw new ProxyClosedError(message.name, { cause })
  }
}

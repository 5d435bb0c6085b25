import { ClosedError } from '@it-socks/protocol'
import type { Bytes, ByteDuplex } from '@it-socks/stage'

/**
 * Closes a connection that nobody needs any more: says nothing until `until` resolves, then the end, and reads no more.
 * On a socket that is a FIN, not the reset that the proxy would take for a failure; it does not wait for the proxy's end.
 * Resolves when nothing is left, however the connection ended, and rejects never.
 */
export const hangUp = async (connection: ByteDuplex, until: Promise<void>): Promise<void> => {
  const silence = async function* (): AsyncGenerator<Bytes, void> {
    await until
  }
  await connection.sink(silence()).catch(() => {})
  connection.source[Symbol.asyncIterator]()
    .return?.()
    .catch(() => {})
  connection.abort?.(new ClosedError())
}

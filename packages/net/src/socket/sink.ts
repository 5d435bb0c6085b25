import type { Socket } from 'node:net'
import { letGo, type Bytes, type ByteDuplex } from '@it-socks/stage'
import { breakage, type Breakage } from './breakage.ts'

/**
 * Writes to a socket, waiting whenever it is full, and half-closes it at the end. Settles as soon as the socket breaks,
 * even while the source has nothing to write.
 */
export const socketSink =
  (socket: Socket, broken: Breakage, abort: (reason: unknown) => void): ByteDuplex['sink'] =>
  (source) =>
    new Promise((resolve, reject) => {
      const iterator = source[Symbol.asyncIterator]()
      if (socket.destroyed) {
        reject(breakage(broken))
        letGo(iterator)
        return
      }
      let proceed: (() => void) | undefined

      const roomAgain = (): Promise<void> =>
        new Promise((resolve) => {
          proceed = resolve
        })

      const pump = async (): Promise<void> => {
        for (;;) {
          const { done, value } = await iterator.next()
          if (socket.destroyed) return
          if (done === true) break
          if (!write(socket, value)) await roomAgain()
        }
        socket.end()
      }

      const closed = (): void => {
        if (!socket.writableFinished) reject(breakage(broken))
        proceed?.()
        letGo(iterator)
      }

      socket
        .on('drain', () => proceed?.())
        .on('finish', resolve)
        .on('close', closed)

      pump().catch((error: unknown) => {
        reject(error)
        abort(error)
      })
    })

/** A list is written as one, so that a message leaves in one segment. */
const write = (socket: Socket, bytes: Bytes): boolean =>
  socket.write(bytes instanceof Uint8Array ? bytes : bytes.subarray())

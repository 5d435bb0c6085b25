import type { Socket } from 'node:net'
import { addressType } from '@it-socks/protocol'
import { after, onAbort } from '@it-socks/stage'

/** Addresses of the two families in turns, starting with the family of the first (RFC 8305 section 4). */
export const interleave = (addresses: readonly string[]): string[] => {
  const first = addresses.filter((ip) => addressType(ip) === addressType(addresses[0]!))
  const second = addresses.filter((ip) => addressType(ip) !== addressType(addresses[0]!))
  return first.flatMap((ip, index) => [ip, ...second.slice(index, index + 1)]).concat(second.slice(first.length))
}

export interface ConnectFirstOptions {
  /** How long one attempt may keep the next one waiting, in milliseconds. */
  attemptDelay: number
  signal: AbortSignal
}

/**
 * Connects to the first address that answers. Attempts start in the order given, each when the one before has failed or
 * has had its time; the losers are destroyed. Rejects with the error of the first attempt, the preferred one.
 */
export const connectFirst = (
  addresses: readonly string[],
  open: (address: string) => Socket,
  { attemptDelay, signal }: ConnectFirstOptions
): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const untried = interleave(addresses)
    const pending = new Set<Socket>()
    const failures: unknown[] = []
    let started = 0
    let stopTimer = (): void => {}

    const finish = (): void => {
      stopTimer()
      untried.length = 0
      for (const socket of pending) socket.destroy()
    }

    const attempt = (): void => {
      stopTimer()
      const address = untried.shift()
      if (address === undefined) return
      const place = started++
      const socket = open(address)
      pending.add(socket)
      const failed = (error: Error): void => {
        failures[place] = error
        pending.delete(socket)
        if (untried.length > 0) return attempt()
        if (pending.size > 0) return
        release()
        finish()
        reject(failures[0])
      }
      socket.once('error', failed).once('connect', () => {
        socket.off('error', failed)
        pending.delete(socket)
        release()
        finish()
        resolve(socket)
      })
      stopTimer = after(attemptDelay, attempt)
    }

    const release = onAbort(signal, () => {
      finish()
      reject(signal.reason)
    })
    attempt()
  })

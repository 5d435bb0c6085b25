import { connect, type Socket } from 'node:net'
import { ConfigurationError, RefusedError, addressType, formatAddress, type Address } from '@it-socks/protocol'
import { limitTime, never, type Dial, type Resolve } from '@it-socks/stage'
import { connectFirst } from './happy-eyeballs.ts'
import { dialError } from './os-error.ts'
import { addressesOf, systemResolve } from './resolve.ts'
import { socketDuplex } from './socket-duplex.ts'

export interface DirectDialOptions {
  /** How names become addresses. Default: `systemResolve()`. */
  resolve?: Resolve
  /** Only addresses of this family. Default: that of `localAddress`, or both. */
  family?: 4 | 6
  /** The local IP address to dial from. Default: the system chooses. */
  localAddress?: string
  /** How long resolving and connecting may take together, in milliseconds. Default: 30,000. */
  timeout?: number
  /** How long one address may keep the next one waiting, in milliseconds (RFC 8305 section 5). Default: 250. */
  attemptDelay?: number
}

/**
 * Dials a destination directly over TCP. All addresses of a name are tried in the manner of RFC 8305: IPv6 and IPv4 in
 * turns, each starting when the one before has failed or has taken its time, and the first to connect wins.
 *
 * The promise rejects with a `RefusedError` whose `reply` says why, an `UnresolvableError`, or the signal's reason.
 *
 * @example
 *
 * ```ts
 * import { dial } from '@it-socks/net'
 *
 * const direct = dial({ timeout: 5000, family: 4 })
 * const open = () => direct({ host: 'example.com', port: 80 })
 * ```
 */
export const dial = ({
  resolve = systemResolve(),
  localAddress,
  family = familyOf(localAddress),
  timeout = 30_000,
  attemptDelay = 250
}: DirectDialOptions = {}): Dial => {
  if (localAddress !== undefined && addressType(localAddress) === 'domain') {
    throw new ConfigurationError('localAddress is not an IP address')
  }
  const open =
    (port: number) =>
    (host: string): Socket =>
      connect({ host, port, allowHalfOpen: true, noDelay: true, ...(localAddress !== undefined && { localAddress }) })

  return async (destination, { signal: outer = never } = {}) => {
    const limit = limitTime(outer, timeout, () => tooLate(destination, timeout))
    try {
      const { signal } = limit
      const addresses = await addressesOf(
        resolve,
        destination.host,
        family === undefined ? { signal } : { signal, family }
      )
      return socketDuplex(await connectFirst(addresses, open(destination.port), { attemptDelay, signal }))
    } catch (error) {
      // The reason of an abort may be a system error too: that of the client which went away.
      const ours = error !== limit.signal.reason && isSystemError(error)
      throw ours ? dialError(destination, error) : error
    } finally {
      limit.stop()
    }
  }
}

const familyOf = (ip: string | undefined): 4 | 6 | undefined =>
  ip === undefined ? undefined : addressType(ip) === 'ipv6' ? 6 : 4

const isSystemError = (error: unknown): boolean => error instanceof Error && 'syscall' in error

const tooLate = (destination: Address, milliseconds: number): RefusedError =>
  new RefusedError('ttl-expired', {
    message: `cannot reach ${formatAddress(destination)}: no answer in ${milliseconds} ms`
  })

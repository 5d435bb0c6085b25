import {
  ClosedError,
  ConfigurationError,
  RefusedError,
  addressType,
  formatAddress,
  type Address
} from '@it-socks/protocol'
import {
  cancellationOf,
  cancellerOf,
  keepSpecimens,
  limitTime,
  type Cancellation,
  type Dial,
  type DialOptions,
  type Resolve
} from '@it-socks/stage'
import { defaultStack } from './default-stack.ts'
import { firstOf, interleave } from './happy-eyeballs.ts'
import type { Open, OpenOptions } from './open.ts'
import { dialError } from './os-error.ts'
import { addressOf, addressesOf } from './resolve/addresses-of.ts'
import { systemResolve } from './resolve/system.ts'
import type { SocketDuplex } from './socket-duplex.ts'

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
  /** How one address is connected to. Default: the best that Node has. */
  open?: Open
}

/**
 * Dials a destination directly over TCP. All addresses of a name are tried in the manner of RFC 8305: IPv6 and IPv4 in
 * turns, each starting when the one before has failed or has taken its time, and the first to connect wins. The name is
 * resolved once: what `permit` was asked about is what is dialled. Where it permits none, it is its first error that comes
 * out.
 *
 * The promise rejects with a `RefusedError` whose `reply` says why, an `UnresolvableError`, the signal's reason, or a
 * `RangeError` for a port that is none.
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
  attemptDelay = 250,
  open = defaultStack.open
}: DirectDialOptions = {}): Dial => {
  if (localAddress !== undefined && addressType(localAddress) === 'domain') {
    throw new ConfigurationError('localAddress is not an IP address')
  }
  const connect = (host: string, port: number, cancellation: Cancellation): Promise<SocketDuplex> =>
    open({ host, port }, new LeanOptions(localAddress, cancellation))

  return async (destination, options = {}) => {
    const { permit } = options
    const limit = limitTime(cancellerOf(options), timeout, () => tooLate(destination, timeout))
    try {
      const { host, port } = destination
      checkPort(port)
      if (addressType(host) !== 'domain') {
        const ip = addressOf(host, family)
        permit?.(ip)
        return await connect(ip, port, limit.cancellation)
      }
      const { signal } = limit
      const found = await addressesOf(resolve, host, family === undefined ? { signal } : { signal, family })
      const [first, ...others] = permitted(found, permit)
      if (others.length === 0) return await connect(first, port, limit.cancellation)
      const attempt = (ip: string, race: { signal: AbortSignal }): Promise<SocketDuplex> =>
        connect(ip, port, cancellationOf(race.signal))
      const discard = (late: SocketDuplex): void => late.abort(new ClosedError('another attempt was faster'))
      return await firstOf(interleave([first, ...others]), attempt, { attemptDelay, signal, discard })
    } catch (error) {
      // The reason of an abort may be a system error too: that of the client which went away.
      const ours = error !== limit.cancellation.reason && isSystemError(error)
      throw ours ? dialError(destination, error) : error
    } finally {
      limit.stop()
    }
  }
}

/** The system would cut it, and libuv ends the process. @throws {RangeError} as Node does */
const checkPort = (port: number): void => {
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return
  throw Object.assign(new RangeError(`a port is a number from 0 to 65535, not ${port}`), {
    code: 'ERR_SOCKET_BAD_PORT'
  })
}

/** A signal is made only for an `open` that asks for it. */
class LeanOptions implements OpenOptions {
  readonly localAddress: string | undefined
  readonly cancellation: Cancellation

  constructor(localAddress: string | undefined, cancellation: Cancellation) {
    this.localAddress = localAddress
    this.cancellation = cancellation
  }

  get signal(): AbortSignal {
    return this.cancellation.signal
  }
}

keepSpecimens(new LeanOptions(undefined, cancellationOf()))

const familyOf = (ip: string | undefined): 4 | 6 | undefined =>
  ip === undefined ? undefined : addressType(ip) === 'ipv6' ? 6 : 4

type Addresses = readonly [string, ...string[]]

/** The addresses that may be dialled. @throws what `permit` threw first, where there are none */
const permitted = (addresses: Addresses, permit: DialOptions['permit']): Addresses => {
  if (permit === undefined) return addresses
  const refusals: unknown[] = []
  const [first, ...others] = addresses.filter((ip) => {
    try {
      permit(ip)
      return true
    } catch (refusal) {
      refusals.push(refusal)
      return false
    }
  })
  if (first === undefined) throw refusals[0]
  return [first, ...others]
}

const isSystemError = (error: unknown): boolean => error instanceof Error && 'syscall' in error

const tooLate = (destination: Address, milliseconds: number): RefusedError =>
  new RefusedError('ttl-expired', {
    message: `cannot reach ${formatAddress(destination)}: no answer in ${milliseconds} ms`
  })

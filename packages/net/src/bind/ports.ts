import { randomInt } from 'node:crypto'
import { ConfigurationError, RefusedError } from '@it-socks/protocol'
import type { Cancellation } from '@it-socks/stage'
import { bindError } from '../os-error.ts'

/** The first and the last of the ports that may be used. */
export type PortRange = readonly [first: number, last: number]

/**
 * Says no to what is no range of ports; none at all is one, by which the system chooses.
 *
 * @throws {ConfigurationError} for what is no range of ports
 *
 * @example
 *
 * ```ts
 * import { checkPorts } from '@it-socks/net'
 *
 * checkPorts([40_000, 40_999])
 * checkPorts(undefined)
 * ```
 */
export const checkPorts = (ports: PortRange | undefined): void => {
  if (ports === undefined) return
  const [first, last] = ports
  const fits = Number.isInteger(first) && Number.isInteger(last) && first > 0 && first <= last && last <= 65_535
  if (!fits) throw new ConfigurationError(`${first} to ${last} is not a range of ports`)
}

/** The ports of a range, each once, from a random one on; without a range 0, by which the system chooses. */
const portsOf = function* (ports: PortRange | undefined): Generator<number, void> {
  const [first, last] = ports ?? [0, 0]
  const count = last - first + 1
  const start = randomInt(count)
  for (let step = 0; step < count; step++) yield first + ((start + step) % count)
}

export interface FreePortOptions {
  /** The IP address that is bound to; for the error. */
  readonly host: string
  /** Default: the system chooses. */
  readonly ports?: PortRange | undefined
  /** Gives up before the next port. Whoever opens sees to it meanwhile. */
  readonly cancellation: Cancellation
}

/**
 * Opens a socket on the first port of a range that is free, from a random one on. For those who bind sockets of their own:
 * `open` fails with the system's errors, and is called again where it is EADDRINUSE.
 *
 * The promise rejects with a `RefusedError`, where no port is free or the socket cannot be bound, or with the reason of
 * who cancels.
 *
 * @example
 *
 * ```ts
 * import { onFreePort } from '@it-socks/net'
 * import { cancellation } from '@it-socks/stage'
 *
 * const taken = Object.assign(new Error('taken'), { code: 'EADDRINUSE' })
 * const open = (port: number) => (port === 40_000 ? Promise.reject(taken) : port)
 * await onFreePort({ host: '127.0.0.1', ports: [40_000, 40_001], cancellation: cancellation() }, open) // => 40001
 * ```
 */
export const onFreePort = async <T>(
  { host, ports, cancellation }: FreePortOptions,
  open: (port: number) => T | Promise<T>
): Promise<T> => {
  let taken: unknown
  for (const port of portsOf(ports)) {
    if (cancellation.aborted) throw cancellation.reason
    try {
      return await open(port)
    } catch (cause) {
      if (cancellation.aborted) throw cancellation.reason
      if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw bindError(host, cause)
      taken = cause
    }
  }
  const range = ports === undefined ? '' : ` from ${ports[0]} to ${ports[1]}`
  throw new RefusedError('general-failure', { cause: taken, message: `no port${range} is free on ${host}` })
}

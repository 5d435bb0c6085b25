import { randomInt } from 'node:crypto'
import { ConfigurationError, RefusedError } from '@it-socks/protocol'
import type { Cancellation } from '@it-socks/stage'
import { bindError } from '@it-socks/net'

/** The first and the last of the ports that may be used. */
export type PortRange = readonly [first: number, last: number]

/** @throws {ConfigurationError} for what is no range of ports */
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
  host: string
  ports: PortRange | undefined
  cancellation: Cancellation
}

/** Opens a socket on the first port that is free. Rejects with a `RefusedError`, or the signal's reason. */
export const onFreePort = async <T>(
  { host, ports, cancellation }: FreePortOptions,
  open: (port: number) => T
): Promise<T> => {
  if (cancellation.aborted) throw cancellation.reason
  let taken: unknown
  for (const port of portsOf(ports)) {
    try {
      return open(port)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw bindError(host, cause)
      taken = cause
    }
  }
  const range = ports === undefined ? '' : ` from ${ports[0]} to ${ports[1]}`
  throw new RefusedError('general-failure', { cause: taken, message: `no port${range} is free on ${host}` })
}

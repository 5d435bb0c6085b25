import { ClosedError, type Address } from '@it-socks/protocol'
import type { Bytes, Requested, Tunnel, Tunnelled } from '@it-socks/stage'

/** What a command returns: from here on a later stage that fails closes the tunnel, and has nothing more to say. */
export interface HandedOver extends Tunnelled {
  readonly refuse: (error: unknown) => undefined
}

/** The last part of a command that opened a tunnel: says yes with `bound`, and closes the tunnel where nobody takes it. */
export const handOver = async function* (
  { grant }: Requested,
  tunnel: Tunnel,
  bound: Address
): AsyncGenerator<Bytes, HandedOver, void> {
  const close = (error: unknown): undefined => {
    tunnel.abort?.(error)
  }
  let granted = false
  try {
    yield grant(bound)
    granted = true
  } finally {
    if (!granted) close(new ClosedError())
  }
  return { tunnel, refuse: close }
}

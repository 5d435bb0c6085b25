import type { Address } from '@it-socks/protocol'
import type { Bytes, Requested, Tunnel, Tunnelled } from '@it-socks/stage'

/** What a command returns that has opened a tunnel. */
export interface HandedOver extends Tunnelled {
  /** Says yes. */
  readonly answer: Bytes
  /** Where nobody takes the tunnel, or a later stage fails, this closes it; there is nothing more to say. */
  readonly refuse: (error: unknown) => undefined
}

/** Hands over a tunnel, and says yes with `bound`. @throws what `grant` throws, after it has closed the tunnel */
export const handOver = ({ grant }: Requested, tunnel: Tunnel, bound: Address): HandedOver => {
  const close = (error: unknown): undefined => {
    tunnel.abort?.(error)
  }
  try {
    return { tunnel, answer: grant(bound), refuse: close }
  } catch (error) {
    close(error)
    throw error
  }
}

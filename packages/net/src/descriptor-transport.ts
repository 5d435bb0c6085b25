import type { Transport } from '@it-socks/stage'

/** What a connection travels on that has a descriptor of the system's, TCP or unix, which somebody may take over. */
export interface DescriptorTransport extends Transport {
  /** The descriptor; nothing where there is none (Windows) or none any more. */
  readonly descriptor: number | undefined
  /** Whether it can be detached: it has not broken, nobody reads it, has called its sink or joined it. */
  readonly detachable: boolean
  /**
   * Closes the descriptor, which the caller has duplicated before: the connection lives on by that one, and no end is said.
   * Nothing may wait in it (`waiting`), or it is lost. From here on the duplex's `abort` calls this one.
   *
   * @returns what was read and not consumed, and whether the peer's end has been read after it
   * @throws {Error} where it is not `detachable`; nothing has happened then
   */
  detach(abort: (reason: unknown) => void): Detached
}

/** What a connection leaves to whoever takes its descriptor over. */
export interface Detached {
  readonly ahead: Uint8Array[]
  readonly ended: boolean
}

/**
 * Whether a transport has a descriptor: for those who can do more with one than the transport does.
 *
 * @example
 *
 * ```ts
 * import { isDescriptorTransport } from '@it-socks/net'
 * import { transportOf, type ByteDuplex } from '@it-socks/stage'
 *
 * const descriptorOf = (duplex: ByteDuplex) => {
 *   const transport = transportOf(duplex)
 *   return transport !== undefined && isDescriptorTransport(transport) ? transport.descriptor : undefined
 * }
 * ```
 */
export const isDescriptorTransport = (transport: Transport): transport is DescriptorTransport =>
  'descriptor' in transport && 'detach' in transport

import type { RelaySockets } from '@it-socks/command'
import { isHere } from '../rules.ts'

/** Memory for `sharedRelays`: how many relay sockets there are at each port. */
export const allocateRelays = (): SharedArrayBuffer => new SharedArrayBuffer(65_536 * Int32Array.BYTES_PER_ELEMENT)

/** The relay sockets of all threads: their ports, each of which may be one of any address of this machine. */
export const sharedRelays = (memory: SharedArrayBuffer): RelaySockets => {
  const counts = new Int32Array(memory)
  return {
    add: ({ port }) => void Atomics.add(counts, port, 1),
    delete: ({ port }) => void Atomics.sub(counts, port, 1),
    has: ({ host, port }) => Atomics.load(counts, port) > 0 && isHere(host)
  }
}

import type { Bytes } from '@it-socks/stage'
import type { Transform } from './join.ts'

/**
 * Shows `look` every chunk that passes, and changes nothing.
 *
 * @example
 *
 * ```ts
 * import { tap, type RelayOptions } from '@it-socks/relay'
 *
 * const options: RelayOptions = { up: [tap((bytes) => console.log('%d bytes', bytes.byteLength))] }
 * ```
 */
export const tap = (look: (bytes: Bytes) => void): Transform =>
  async function* (source) {
    for await (const bytes of source) {
      look(bytes)
      yield bytes
    }
  }

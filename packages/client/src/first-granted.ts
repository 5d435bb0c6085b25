import { firstOf, interleave } from '@it-socks/net'
import { ClosedError, RefusedError, type RefusalName } from '@it-socks/protocol'
import { onAbort } from '@it-socks/stage'
import type { Entrance } from './enter.ts'

/** What a proxy says of an address; the next one may do better. Many, and all of SOCKS4, say no more than "failure". */
const ofTheAddress: ReadonlySet<RefusalName> = new Set([
  'general-failure',
  'network-unreachable',
  'host-unreachable',
  'connection-refused',
  'ttl-expired',
  'address-type-not-supported'
])

/**
 * Asks for one address after the other in the manner of RFC 8305, until one is granted. A failure that has nothing to do
 * with the address, of the authentication for example, ends it at once: it would be the same for all.
 */
export const firstGranted = async (
  hosts: readonly string[],
  ask: (host: string, signal: AbortSignal) => Promise<Entrance>,
  signal: AbortSignal
): Promise<Entrance> => {
  const [only, ...others] = hosts
  if (only !== undefined && others.length === 0) return ask(only, signal)

  const race = new AbortController()
  const forget = onAbort(signal, () => race.abort(signal.reason))
  const attempt = async (host: string, signal: AbortSignal): Promise<Entrance> => {
    try {
      return await ask(host, signal)
    } catch (error) {
      if (!(error instanceof RefusedError && ofTheAddress.has(error.reply))) race.abort(error)
      throw error
    }
  }
  try {
    return await firstOf(interleave(hosts), (host, { signal }) => attempt(host, signal), {
      signal: race.signal,
      discard: ({ duplex }) => duplex.abort?.(new ClosedError('another attempt was faster'))
    })
  } finally {
    forget()
  }
}

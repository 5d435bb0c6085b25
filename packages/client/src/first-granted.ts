import { firstOf, interleave } from '@it-socks/net'
import { ClosedError, ProxyClosedError, RefusedError, UnassignedReplyError, reply, reply4 } from '@it-socks/protocol'
import { onAbort } from '@it-socks/stage'
import type { Entrance } from './enter.ts'

const answers: ReadonlySet<string> = new Set([reply.name, reply4.name])

/**
 * Whether the proxy said no to this address; the next one may do better. Many, and all of SOCKS4, say no more than
 * "failure", and `ssh -D` closes.
 */
const isOfTheAddress = (error: unknown): boolean =>
  (error instanceof RefusedError && error.reply !== 'command-not-supported') ||
  error instanceof UnassignedReplyError ||
  (error instanceof ProxyClosedError && answers.has(error.owed))

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
      if (!isOfTheAddress(error)) race.abort(error)
      throw error
    }
  }
  try {
    return await firstOf(interleave([...new Set(hosts)]), (host, { signal }) => attempt(host, signal), {
      signal: race.signal,
      discard: ({ duplex }) => duplex.abort?.(new ClosedError('another attempt was faster'))
    })
  } finally {
    forget()
  }
}

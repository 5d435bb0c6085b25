import { ClosedError, unspecified } from '@it-socks/protocol'
import type { Dial } from '@it-socks/stage'
import type { CommandHandler } from './command.ts'

/**
 * CONNECT (RFC 1928 section 4): dials the destination and answers with the local address of the new connection. Until
 * the tunnel is handed over, and where a later stage fails, it is this handler that closes it.
 *
 * @example
 *
 * ```ts
 * import { command, connect } from '@it-socks/command'
 * import { dial } from '@it-socks/net'
 *
 * const stage = command({ connect: connect(dial({ timeout: 5000 })) })
 * ```
 */
export const connect = (dial: Dial): CommandHandler =>
  async function* ({ context: { request, grant }, signal }) {
    const tunnel = await dial(request.destination, { signal })
    const close = (error: unknown): undefined => {
      tunnel.abort?.(error)
    }
    let granted = false
    try {
      yield grant(tunnel.localAddress ?? unspecified)
      granted = true
    } finally {
      if (!granted) close(new ClosedError())
    }
    return { tunnel, refuse: close }
  }

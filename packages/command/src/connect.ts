import { unspecified } from '@it-socks/protocol'
import { stage, type Authorized, type Dial, type DialOptions, type Tunnelled } from '@it-socks/stage'
import type { Commanded, CommandHandler } from './command.ts'
import { handOver } from './hand-over.ts'

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
export const connect = (dial: Dial): CommandHandler<Commanded & Partial<Authorized>> =>
  stage<Commanded & Partial<Authorized>, Tunnelled>(async function* ({ context, signal }) {
    const tunnel = await dial(context.request.destination, { signal, ...permitOf(context) })
    return yield* handOver(context, tunnel, tunnel.localAddress ?? unspecified)
  })

/** The rules, as a `Dial` asks them: about the addresses of the destination. */
const permitOf = ({ permit, request: { destination } }: Commanded & Partial<Authorized>): DialOptions =>
  permit === undefined ? {} : { permit: (host) => permit({ host, port: destination.port }, destination.host) }

import { unspecified } from '@it-socks/protocol'
import { keepSpecimens, stage } from '@it-socks/stage'
import type { Authorized, Cancellation, Dial, DialOptions, Handoff, Tunnelled } from '@it-socks/stage'
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
  stage<Commanded & Partial<Authorized>, Tunnelled>((handoff) => {
    const { context } = handoff
    return dial(context.request.destination, new ConnectOptions(handoff)).then((tunnel) =>
      handOver(context, tunnel, tunnel.localAddress ?? unspecified)
    )
  })

/** Most have no use for a signal: it is made for who asks. The rules are asked about the addresses of the destination. */
class ConnectOptions implements DialOptions {
  readonly #handoff: Handoff<Commanded & Partial<Authorized>>
  /** Its own, so that a copy has it. */
  readonly cancellation: Cancellation | undefined
  declare permit?: (ip: string) => void

  constructor(handoff: Handoff<Commanded & Partial<Authorized>>) {
    this.#handoff = handoff
    this.cancellation = handoff.cancellation
    const { permit, request } = handoff.context
    const { host: name, port } = request.destination
    if (permit !== undefined) this.permit = (host) => permit({ host, port }, name)
  }

  get signal(): AbortSignal {
    return this.#handoff.signal
  }
}

const context = { request: { command: 'connect', destination: unspecified }, permit() {} }
keepSpecimens(new ConnectOptions({ context } as unknown as Handoff<Commanded & Authorized>))

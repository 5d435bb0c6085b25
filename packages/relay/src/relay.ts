import { whenEstablished, type ByteDuplex, type HandshakeOptions, type Step, type Tunnelled } from '@it-socks/stage'
import { startRelay, type JoinOptions, type Traffic } from './join.ts'

/** How to relay; the signal is the pipeline's. */
export interface RelayOptions extends Omit<JoinOptions, 'signal'>, HandshakeOptions {}

/**
 * The end of a server's pipeline: writes the stages' bytes to `client`, then joins it with the tunnel that a command
 * opened, until both have ended. Resolves with the bytes that went each way.
 *
 * Throws what a stage threw, after the client was told, or what broke the relay (see {@link join}). Either way nothing
 * stays open.
 *
 * @example
 *
 * ```ts
 * import { authenticate, none } from '@it-socks/auth'
 * import { command, connect, request } from '@it-socks/command'
 * import { dial } from '@it-socks/net'
 * import { relay } from '@it-socks/relay'
 * import { frames, pipe, type ByteDuplex } from '@it-socks/stage'
 *
 * const serve = (client: ByteDuplex) =>
 *   pipe(
 *     client,
 *     frames(),
 *     authenticate([none()]),
 *     request(),
 *     command({ connect: connect(dial()) }),
 *     relay(client, { idle: 60_000 })
 *   )
 * ```
 */
export const relay =
  (client: ByteDuplex, options: RelayOptions = {}) =>
  <Context extends Tunnelled>(steps: AsyncIterable<Step<Context>>): Promise<Traffic> =>
    new Promise((resolve, reject) => {
      whenEstablished(
        client,
        options,
        steps,
        ({ context, duplex, cancellation }) =>
          startRelay(cancellation, duplex, context.tunnel, options, { resolve, reject }),
        reject
      )
    })

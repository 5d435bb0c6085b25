import { RefusedError, type CommandName } from '@it-socks/protocol'
import { stage, type Authenticated, type Requested, type Stage, type StageBody, type Tunnelled } from '@it-socks/stage'

/** Does one command: a stage body that says yes with `grant` and returns the tunnel, or throws what to refuse with. */
export type CommandHandler = StageBody<Authenticated & Requested, Tunnelled>

/**
 * Does what the client asked for, by the handler of its command; a command without a handler is refused with "command
 * not supported". Comes after `authenticate` and `request`: without them it does not compile, and refuses at run time.
 *
 * @example
 *
 * ```ts
 * import { command, connect } from '@it-socks/command'
 * import { dial } from '@it-socks/net'
 *
 * const stage = command({ connect: connect(dial()) })
 * ```
 */
export const command = (
  handlers: Readonly<Partial<Record<CommandName, CommandHandler>>>
): Stage<Authenticated & Requested, Tunnelled> =>
  stage<Authenticated & Requested, Tunnelled>(async function* (handoff) {
    const { identity, request } = handoff.context as Partial<typeof handoff.context>
    if (identity === undefined || request === undefined) {
      throw new RefusedError('not-allowed', { message: 'command comes after authenticate and request' })
    }
    const handler = handlers[request.command]
    if (handler === undefined) throw new RefusedError('command-not-supported')
    return yield* handler(handoff)
  })

import { RefusedError, type CommandName } from '@it-socks/protocol'
import { choose, type Authenticated, type Requested, type Stage, type Tunnelled } from '@it-socks/stage'

/** What every command may count on: it comes after `authenticate` and `request`. */
export type Commanded = Authenticated & Requested

/** Does one command: a stage that says yes with `grant` and adds the tunnel, or throws what to refuse with. */
export type CommandHandler<Needs = Commanded> = Stage<Needs, Tunnelled>

/**
 * Does what the client asked for, by the handler of its command; a command without a handler is refused with "command
 * not supported". Comes after `authenticate` and `request`: without them it does not compile, and refuses at run time.
 *
 * @example
 *
 * ```ts
 * import { command, connect } from '@it-socks/command'
 * import { dial } from '@it-socks/net'
 * import { deadline } from '@it-socks/stage'
 *
 * const stage = command({ connect: deadline('reaching the target', 10_000, connect(dial())) })
 * ```
 */
export const command = <Needs = Commanded>(
  handlers: Readonly<Partial<Record<CommandName, CommandHandler<Needs>>>>
): CommandHandler<Needs & Commanded> =>
  choose(({ context }) => {
    const { identity, request } = context as Partial<Commanded>
    if (identity === undefined || request === undefined) {
      throw new RefusedError('not-allowed', { message: 'command comes after authenticate and request' })
    }
    const handler = handlers[request.command]
    if (handler === undefined) throw new RefusedError('command-not-supported')
    return handler
  })

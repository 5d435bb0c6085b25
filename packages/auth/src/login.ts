import {
  NoAcceptableMethodError,
  UnofferedMethodError,
  greeting,
  methodSelection,
  noAcceptableMethods
} from '@it-socks/protocol'
import { isSpeaking, readAnswer, stage, type LoggedIn, type Stage } from '@it-socks/stage'
import { checkMethods } from './authenticate.ts'
import type { ClientMethod } from './method.ts'

/**
 * The client's authentication, the mirror of `authenticate` (RFC 1928 section 3): offers `methods` and runs the one that
 * the proxy selects. Comes first after `frames`.
 *
 * @throws {ConfigurationError} at once, for no methods, two of one id, or an id that is none
 *
 * The stage throws a `NoAcceptableMethodError` where the proxy wants none of them, an `UnofferedMethodError` where it
 * selects another, a `ProxyClosedError` where it does not answer, and whatever the method throws.
 *
 * @example
 *
 * ```ts
 * import { login, none, usernamePassword } from '@it-socks/auth'
 *
 * const stage = login([none(), usernamePassword({ username: 'alice', password: 'open sesame' })])
 * ```
 */
export const login = (methods: readonly ClientMethod[]): Stage<unknown, LoggedIn> => {
  checkMethods(methods)
  const offered = methods.map(({ id }) => id)
  return stage<unknown, LoggedIn>(async function* (handoff, say) {
    yield greeting.encode({ methods: offered })
    const selection = await readAnswer(handoff.frames, methodSelection)
    if (selection.method === noAcceptableMethods) throw new NoAcceptableMethodError(offered)
    const method = methods.find(({ id }) => id === selection.method)
    if (method === undefined) throw new UnofferedMethodError(selection.method, offered)
    const body = method.client(handoff, say)
    return { method: method.id, ...(isSpeaking(body) ? yield* body : await body) }
  })
}

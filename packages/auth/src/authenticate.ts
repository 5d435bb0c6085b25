import {
  ConfigurationError,
  NoAcceptableMethodError,
  NoMethodsError,
  greeting,
  methodSelection,
  noAcceptableMethods,
  refusal
} from '@it-socks/protocol'
import { isSpeaking, stage, type Authenticated, type Stage } from '@it-socks/stage'
import type { IdentityOf, ServerMethod } from './method.ts'

const noneWillDo = methodSelection.encode({ method: noAcceptableMethods })

/**
 * The server's authentication (RFC 1928 section 3): reads the greeting, takes the first of `methods` that the client
 * offers, and runs it. Comes first after `frames`. From here on the pipeline refuses with SOCKS5 replies.
 *
 * @param methods in the server's order of preference
 * @throws {ConfigurationError} at once, for no methods, two of one id, or an id that is none
 *
 * The stage throws a `NoAcceptableMethodError` after METHOD 0xFF where the client offers none of them, a `MalformedError`
 * for a greeting that is none, and whatever the method throws.
 *
 * @example
 *
 * ```ts
 * import { authenticate, none, usernamePassword, users } from '@it-socks/auth'
 *
 * const stage = authenticate([usernamePassword({ verify: users({ alice: 'open sesame' }) }), none()])
 * ```
 */
export const authenticate = <Method extends ServerMethod>(
  methods: readonly Method[]
): Stage<unknown, Authenticated<IdentityOf<Method>>> => {
  checkMethods(methods)
  const selections = new Map(methods.map((method) => [method, methodSelection.encode({ method: method.id })]))
  return stage<unknown, Authenticated<IdentityOf<Method>>>(async function* (handoff) {
    let offered: readonly number[]
    try {
      offered = (await handoff.frames.read(greeting)).methods
    } catch (error) {
      // A greeting without methods is answered like one whose methods will not do.
      if (error instanceof NoMethodsError) yield noneWillDo
      throw error
    }
    const method = methods.find(({ id }) => offered.includes(id))
    if (method === undefined) {
      yield noneWillDo
      throw new NoAcceptableMethodError(offered)
    }
    yield selections.get(method)!
    const body = method.server(handoff)
    const found = isSpeaking(body) ? yield* body : await body
    return Object.assign({ refuse: refusal }, found as Authenticated<IdentityOf<Method>>)
  })
}

/** @throws {ConfigurationError} for no methods, two of one id, or an id that is none */
export const checkMethods = (methods: ReadonlyArray<{ readonly id: number }>): void => {
  if (methods.length === 0) throw new ConfigurationError('at least one authentication method is needed')
  const strange = methods.find(({ id }) => !Number.isInteger(id) || id < 0 || id >= noAcceptableMethods)
  if (strange !== undefined) throw new ConfigurationError(`a method has an id from 0 to 254, not ${strange.id}`)
  if (new Set(methods.map(({ id }) => id)).size < methods.length) {
    throw new ConfigurationError('two authentication methods have the same id')
  }
}

import {
  ConfigurationError,
  NoAcceptableMethodError,
  NoMethodsError,
  greeting,
  methodSelection,
  noAcceptableMethods,
  refusal,
  type Greeting
} from '@it-socks/protocol'
import { choose, isSpeaking, stage, type Authenticated, type Replacements } from '@it-socks/stage'
import type { Speaking, Stage, StageBody } from '@it-socks/stage'
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
  type Way = Stage<unknown, Authenticated<IdentityOf<Method>>>
  checkMethods(methods)
  const ways = methods.map((method) => ({
    id: method.id,
    selection: methodSelection.encode({ method: method.id }),
    stage: stage<unknown, Authenticated<IdentityOf<Method>>>(refusingFrom(method))
  }))
  return choose(({ frames }, say) => {
    const select = ({ methods: offered }: Greeting): Way | Promise<Way> => {
      const way = ways.find(({ id }) => offered.includes(id))
      if (way === undefined) throw new NoAcceptableMethodError(offered)
      const room = say(way.selection)
      return room === undefined ? way.stage : room.then(() => way.stage)
    }
    const refuse = async (error: unknown): Promise<never> => {
      // A greeting without methods is answered like one whose methods will not do.
      if (error instanceof NoAcceptableMethodError || error instanceof NoMethodsError) await say(noneWillDo)
      throw error
    }
    try {
      const now = frames.readNow(greeting)
      return now === undefined ? frames.read(greeting).then(select).catch(refuse) : select(now)
    } catch (error) {
      return refuse(error)
    }
  })
}

/** The method's own body, and SOCKS5 replies for refusals behind it. */
const refusingFrom =
  <Method extends ServerMethod>(method: Method): StageBody<unknown, Authenticated<IdentityOf<Method>>> =>
  (handoff, say) => {
    const body = method.server(handoff, say) as ReturnType<StageBody<unknown, Authenticated<IdentityOf<Method>>>>
    if (isSpeaking(body)) return speaking(body)
    return body instanceof Promise ? body.then(refusing) : refusing(body)
  }

const refusing = <Found extends object>(found: Found): Found & Replacements => Object.assign({ refuse: refusal }, found)

const speaking = async function* <Found extends object>(body: Speaking<Found>): Speaking<Found> {
  return refusing(yield* body)
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

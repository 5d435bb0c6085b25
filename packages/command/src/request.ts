import { reply, replyCode, request as message, type Request } from '@it-socks/protocol'
import { stage, type Requested, type Stage } from '@it-socks/stage'

/**
 * Reads the client's request (RFC 1928 section 4). Comes after `authenticate`; before it, a greeting would be read as a
 * request and refused as malformed.
 *
 * Throws a `MalformedError` for a request that is none; it carries the reply that the client is given.
 *
 * @example
 *
 * ```ts
 * import { authenticate, none } from '@it-socks/auth'
 * import { request } from '@it-socks/command'
 * import { compose } from '@it-socks/stage'
 *
 * const negotiate = compose(authenticate([none()]), request())
 * ```
 */
export const request = (): Stage<unknown, Requested> =>
  stage<unknown, Requested>(({ frames }) => frames.read(message).then(requested))

const requested = (request: Request): Requested => ({ request, grant })

const succeeded = replyCode('succeeded')
const grant: Requested['grant'] = (bound) => reply.encode({ rep: succeeded, bound })

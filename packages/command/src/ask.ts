import {
  MalformedError,
  RefusedError,
  UnassignedReplyError,
  reply,
  replyCode,
  replyName,
  request as message,
  type Reply,
  type Request,
  type SocksError
} from '@it-socks/protocol'
import { readAnswer, stage, type Frames, type Granted, type LoggedIn, type Stage } from '@it-socks/stage'

/**
 * The client's request, the mirror of `request` and `command` (RFC 1928 sections 4 and 6). Comes after `login`.
 *
 * @throws {SocksError} at once, for a destination that cannot be sent: a `TooLongError` for a domain of over 255 bytes …
 *
 * The stage throws a `RefusedError` whose `reply` says what the proxy answered (its `cause` tells where the rest of that
 * answer was malformed), an `UnassignedReplyError` for a REP that has no name, a `ProxyClosedError` where the proxy
 * closed instead of answering.
 *
 * @example
 *
 * ```ts
 * import { ask } from '@it-socks/command'
 *
 * const stage = ask({ command: 'connect', destination: { host: 'example.com', port: 443 } })
 * ```
 */
export const ask = (request: Request): Stage<LoggedIn, Granted> => {
  const encoded = message.encode(request)
  return stage<LoggedIn, Granted>(async function* ({ frames }) {
    yield encoded
    const { rep, bound } = await readReply(frames)
    if (rep !== replyCode('succeeded')) throw refused(rep)
    return { bound }
  })
}

/** Some servers (npm socksv5 among them) cut a refusal short or leave its address out: REP is what counts. */
const readReply = async (frames: Frames): Promise<Reply> => {
  try {
    return await readAnswer(frames, reply)
  } catch (cause) {
    const rep = cause instanceof MalformedError ? (cause.within?.fields as Partial<Reply> | undefined)?.rep : undefined
    if (rep === undefined || rep === replyCode('succeeded')) throw cause
    throw refused(rep, { cause })
  }
}

const refused = (rep: number, options?: ErrorOptions): SocksError => {
  const name = replyName(rep)
  return name === undefined || name === 'succeeded'
    ? new UnassignedReplyError(rep, options)
    : new RefusedError(name, options)
}

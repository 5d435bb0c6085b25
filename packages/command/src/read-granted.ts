import {
  MalformedError,
  RefusedError,
  UnassignedReplyError,
  reply,
  replyCode,
  replyName,
  type Reply,
  type SocksError
} from '@it-socks/protocol'
import { readAnswer, type Frames, type Granted } from '@it-socks/stage'

/**
 * Reads a reply (RFC 1928 section 6) that says yes.
 *
 * Rejects with a `RefusedError` whose `reply` says what the proxy answered (its `cause` tells where the rest of that
 * answer was malformed), an `UnassignedReplyError` for a REP that has no name, a `ProxyClosedError` where the proxy
 * closed instead of answering.
 */
export const readGranted = async (frames: Frames): Promise<Granted> => {
  const { rep, bound } = await readReply(frames)
  if (rep !== replyCode('succeeded')) throw refused(rep)
  return { bound }
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

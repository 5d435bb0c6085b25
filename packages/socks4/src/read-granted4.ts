import {
  AuthenticationError,
  MalformedError,
  RefusedError,
  UnassignedReplyError,
  reply4,
  reply4Codes,
  type Reply4,
  type SocksError
} from '@it-socks/protocol'
import { readAnswer, type Frames, type Granted } from '@it-socks/stage'

/**
 * Reads a SOCKS4 reply that says yes.
 *
 * Rejects with what the proxy answered: a `RefusedError`, an `AuthenticationError`, an `UnassignedReplyError` (its
 * `cause` tells where the rest of that answer was malformed); a `ProxyClosedError` where it closed instead.
 */
export const readGranted4 = async (frames: Frames): Promise<Granted> => {
  const { cd, bound } = await readReply4(frames)
  if (cd !== reply4Codes.granted) throw refused(cd)
  return { bound }
}

/** CD is what counts where a refusal is cut short: nothing behind it means anything then. */
const readReply4 = async (frames: Frames): Promise<Reply4> => {
  try {
    return await readAnswer(frames, reply4)
  } catch (cause) {
    const cd = cause instanceof MalformedError ? (cause.within?.fields as Partial<Reply4> | undefined)?.cd : undefined
    if (cd === undefined || cd === reply4Codes.granted) throw cause
    throw refused(cd, { cause })
  }
}

const refused = (cd: number, options?: ErrorOptions): SocksError => {
  switch (cd) {
    case reply4Codes.rejected:
      return new RefusedError('general-failure', {
        ...options,
        message: 'the proxy rejects the request, or it failed: SOCKS4 does not tell'
      })
    case reply4Codes.identdUnreachable:
      return new AuthenticationError('the proxy cannot reach an identd here to ask for the user id', options)
    case reply4Codes.userIdRefused:
      return new AuthenticationError('the proxy refuses the user id', options)
    default:
      return new UnassignedReplyError(cd, options)
  }
}

import { RefusedError, formatAddress, type Address, type RefusalName } from '@it-socks/protocol'

const replies: ReadonlyMap<unknown, RefusalName> = new Map<string, RefusalName>(
  Object.entries({
    ECONNREFUSED: 'connection-refused',
    ENETUNREACH: 'network-unreachable',
    ENETDOWN: 'network-unreachable',
    EADDRNOTAVAIL: 'network-unreachable',
    EHOSTUNREACH: 'host-unreachable',
    EHOSTDOWN: 'host-unreachable',
    ENOTFOUND: 'host-unreachable',
    EAI_AGAIN: 'host-unreachable',
    ETIMEDOUT: 'ttl-expired',
    EACCES: 'not-allowed',
    EPERM: 'not-allowed',
    EAFNOSUPPORT: 'address-type-not-supported'
  } as const)
)

/** The reply for an operating system's (or its resolver's) error code; what we do not know is a general failure. */
export const replyOf = (error: unknown): RefusalName =>
  replies.get((error as NodeJS.ErrnoException | undefined)?.code) ?? 'general-failure'

/** What to refuse with when a destination could not be dialled. */
export const dialError = (destination: Address, cause: unknown): RefusedError =>
  new RefusedError(replyOf(cause), { cause, message: `cannot reach ${formatAddress(destination)}: ${codeOf(cause)}` })

/**
 * What to refuse with when a socket could not be bound. EADDRNOTAVAIL is no want of a route then: the address is not one of
 * this machine's.
 */
export const bindError = (host: string, cause: unknown): RefusedError => {
  const code = codeOf(cause)
  const reply = code === 'EADDRNOTAVAIL' ? 'general-failure' : replyOf(cause)
  return new RefusedError(reply, { cause, message: `cannot bind a socket to ${host}: ${code}` })
}

/** What an error calls itself: its code, or else all that it says. */
export const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException | undefined)?.code ?? String(cause)

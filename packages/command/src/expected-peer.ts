import { UnresolvableError, canonicalHost, unspecified } from '@it-socks/protocol'
import type { Authorized, Requested, Resolve, Tunnel } from '@it-socks/stage'
import { isPermitted } from './is-permitted.ts'
import { permittedAddresses } from './permitted.ts'

/** Who may connect to a socket that listens for BIND. */
export interface ExpectedPeer {
  /** The IP addresses that are expected; none where anybody is. */
  readonly ips: readonly string[]
  readonly isExpected: (peer: Tunnel) => boolean
}

/** The ways to say that nobody in particular is expected; some clients say `0` for `0.0.0.0`. */
const anybody: ReadonlySet<string> = new Set(['0.0.0.0', '::', '0', ''])

/** Finds no name. */
export const unresolving: Resolve = async (host) => {
  throw new UnresolvableError(host)
}

/** Reads DST.ADDR as BIND means it. Rejects as `permittedAddresses` does. */
export const expectPeer = async (
  context: Requested & Partial<Authorized>,
  resolve: Resolve,
  signal: AbortSignal
): Promise<ExpectedPeer> => {
  const { permit, request } = context
  const { host } = request.destination
  if (anybody.has(canonicalHost(host))) {
    return { ips: [], isExpected: ({ remoteAddress: at }) => isPermitted(permit, at ?? unspecified) }
  }
  const ips = await permittedAddresses(context, resolve, signal)
  const places = new Set(ips.map(place))
  return {
    ips,
    isExpected: ({ remoteAddress: at }) =>
      at !== undefined && places.has(place(at.host)) && isPermitted(permit, at, host)
  }
}

/** One spelling for one IP address. A zone (`%eth0`) is known to this machine only: the client cannot have said it. */
const place = (ip: string): string => canonicalHost(ip).replace(/%.*$/, '')

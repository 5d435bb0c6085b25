import { UnresolvableError, addressType } from '@it-socks/protocol'
import type { Authorized, Requested, Resolve } from '@it-socks/stage'

/**
 * The IP addresses of the request's destination that the rules let the client have to do with, best first.
 *
 * Rejects with an `UnresolvableError` where it has none, and with what `permit` threw first where none is permitted.
 */
export const permittedAddresses = async (
  { request: { destination }, permit }: Requested & Partial<Authorized>,
  resolve: Resolve,
  signal: AbortSignal
): Promise<[string, ...string[]]> => {
  const { host, port } = destination
  const answers = addressType(host) === 'domain' ? await resolve(host, { signal }) : [host]
  const refusals: unknown[] = []
  const isPermitted = (ip: string): boolean => {
    try {
      permit?.({ host: ip, port }, host)
      return true
    } catch (error) {
      refusals.push(error)
      return false
    }
  }
  // A name among them would be looked up again, behind the back of the rules.
  const [first, ...others] = answers.filter((ip) => addressType(ip) !== 'domain' && isPermitted(ip))
  if (first === undefined) throw refusals.length > 0 ? refusals[0] : new UnresolvableError(host)
  return [first, ...others]
}

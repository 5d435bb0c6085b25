import { addressesOf } from '@it-socks/net'
import { addressType, canonicalHost } from '@it-socks/protocol'
import type { DialOptions } from '@it-socks/stage'
import type { ProxySettings } from './proxy.ts'

type Candidates = readonly [string, ...string[]]

/**
 * What to ask the proxy for, best first: all addresses of a name that is resolved here, else the host as it is. `permit`
 * judges every address among them; a name that the proxy resolves has none yet.
 *
 * @throws what `permit` threw first, where none is left
 */
export const candidatesOf = async (
  host: string,
  { resolve, dialect: { family } }: ProxySettings,
  { permit = () => {}, ...options }: DialOptions
): Promise<Candidates> => {
  if (addressType(host) !== 'domain') return permitted([canonicalHost(host)], permit)
  if (resolve === undefined) return [host]
  const found = await addressesOf(resolve, host, family === undefined ? options : { ...options, family })
  return permitted(found, permit)
}

const permitted = (addresses: Candidates, permit: (ip: string) => void): Candidates => {
  const refusals: unknown[] = []
  const [first, ...others] = addresses.filter((ip) => {
    try {
      permit(ip)
      return true
    } catch (error) {
      refusals.push(error)
      return false
    }
  })
  if (first === undefined) throw refusals[0]
  return [first, ...others]
}

import { addressesOf } from '@it-socks/net'
import type { Resolve } from '@it-socks/stage'

/** How many names are remembered; the one that was asked for first is forgotten for another. */
const most = 256

/** Finds the best address of a host, and remembers it. What failed is not remembered. */
export const rememberNames = (resolve: Resolve, signal: AbortSignal): ((host: string) => Promise<string>) => {
  const known = new Map<string, Promise<string>>()

  const find = async (host: string): Promise<string> => {
    try {
      const [ip] = await addressesOf(resolve, host, { signal })
      return ip
    } catch (error) {
      known.delete(host)
      throw error
    }
  }

  return (host) => {
    const found = known.get(host) ?? find(host)
    known.set(host, found)
    const [oldest] = known.keys()
    if (known.size > most && oldest !== undefined) known.delete(oldest)
    return found
  }
}

import type { Address } from '@it-socks/protocol'
import { hostsOf } from './network.ts'
import type { Rule } from './rule.ts'

/**
 * Denies everybody to connect to the proxy itself, in a loop. It is named `the proxy itself`.
 *
 * @param isOurs whether the proxy listens at this IP address (in its one form, see `canonicalHost`) and port
 *
 * @example
 *
 * ```ts
 * import { judge, ownAddresses } from '@it-socks/rules'
 *
 * const rules = [ownAddresses(({ port }) => port === 1080)]
 * const destination = { host: 'proxy.example', port: 1080 }
 * const attempt = { command: 'connect', identity: { method: 'none' }, destination } as const
 *
 * judge(rules, { ...attempt, ip: '192.0.2.1' }) // => { verdict: 'deny', rule: 'the proxy itself' }
 * ```
 */
export const ownAddresses = (isOurs: (address: Address) => boolean): Rule => ({
  name: 'the proxy itself',
  verdict: 'deny',
  matches: ({ command, destination, ip }) => {
    if (command !== 'connect') return false
    if (destination === undefined || ip === undefined) return undefined
    const hosts = hostsOf(ip)
    return hosts.length === 0 ? undefined : hosts.some((host) => isOurs({ host, port: destination.port }))
  }
})

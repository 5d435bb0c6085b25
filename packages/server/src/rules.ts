import { networkInterfaces } from 'node:os'
import type { Endpoint } from '@it-socks/net'
import { canonicalHost, isLoopback, type Address } from '@it-socks/protocol'
import { ownAddresses, privateNetworks, type Rule } from '@it-socks/rules'

export interface RulesOptions {
  /** The user's. */
  readonly rules: readonly Rule[]
  readonly allowPrivate: boolean
  /** Where the server listens by now. */
  readonly listening: () => readonly Endpoint[]
}

/**
 * The rules of a server: never to itself, private networks are private, then those of its user. In this order, for a name
 * that a rule allows may have any address.
 */
export const standardRules = ({ rules, allowPrivate, listening }: RulesOptions): Rule[] => [
  ownAddresses((address) => listening().some((endpoint) => leadsTo(address, endpoint))),
  ...(allowPrivate ? [] : [privateNetworks]),
  ...rules
]

/** What nothing matches is denied where a rule allows something: it would allow nothing otherwise. */
export const verdictOf = (rules: readonly Rule[]): 'allow' | 'deny' =>
  rules.some(({ verdict }) => verdict === 'allow') ? 'deny' : 'allow'

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** What a client asks for has no zone: it means something on one machine only. */
const withoutZone = (host: string): string => host.replace(/%.*/, '')

const leadsTo = ({ host, port }: Address, endpoint: Endpoint): boolean =>
  'port' in endpoint &&
  endpoint.port === port &&
  (host === withoutZone(canonicalHost(endpoint.host)) ||
    (isHere(host) && (wildcards.has(endpoint.host) || wildcards.has(host))))

/** Whether an IP address is one of this machine's. */
export const isHere = (host: string): boolean =>
  isLoopback(host) ||
  wildcards.has(host) ||
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host))

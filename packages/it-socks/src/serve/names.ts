import { dnsResolve, dnsReverse, systemResolve, systemReverse, tableResolve, type AddressOrder } from '@it-socks/net'
import { UnresolvableError, formatAddress, type Address } from '@it-socks/protocol'
import type { Resolve, ReverseResolve } from '@it-socks/stage'

/** A name and its addresses. */
type HostEntry = readonly [name: string, ips: readonly string[]]

export interface NamesOptions {
  /** The DNS servers to ask, in place of the system. */
  dns?: readonly Address[]
  /** What needs no asking. */
  host?: readonly HostEntry[]
  /** Only addresses of this family. */
  family?: 4 | 6
  /** Addresses of this family first. */
  prefer?: 4 | 6
}

/** How the server's options say that names become addresses. */
export const namesResolve = ({ dns, host, family, prefer }: NamesOptions): Resolve => {
  const order: AddressOrder = prefer === undefined ? 'verbatim' : `ipv${prefer}first`
  const asked = dns === undefined ? systemResolve({ order }) : dnsResolve({ servers: dns.map(formatAddress), order })
  const known = host === undefined ? asked : tableResolve(tableOf(host), { otherwise: asked })
  return family === undefined ? known : onlyFamily(known, family)
}

/** How they say that addresses become names. */
export const namesReverse = ({ dns }: NamesOptions): ReverseResolve =>
  dns === undefined ? systemReverse() : dnsReverse({ servers: dns.map(formatAddress) })

/** A name that is there several times has all the addresses. */
const tableOf = (entries: readonly HostEntry[]): Record<string, string[]> => {
  const table = new Map<string, string[]>()
  for (const [name, ips] of entries) {
    const key = name.toLowerCase()
    table.set(key, [...(table.get(key) ?? []), ...ips])
  }
  return Object.fromEntries(table)
}

const onlyFamily =
  (resolve: Resolve, family: 4 | 6): Resolve =>
  async (name, options = {}) => {
    if (options.family !== undefined && options.family !== family) throw new UnresolvableError(name)
    return resolve(name, { ...options, family })
  }

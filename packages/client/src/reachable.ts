import { canonicalHost, type Address } from '@it-socks/protocol'

/** Where to reach what a proxy bound: one that says 0.0.0.0 or :: means itself. */
export const reachable = ({ host, port }: Address, proxy: Address): Address => ({
  host: host === '0.0.0.0' || host === '::' ? canonicalHost(proxy.host) : host,
  port
})

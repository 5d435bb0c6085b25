import { addressType, canonicalHost } from '@it-socks/protocol'
import type { Attempt } from '@it-socks/rules'

interface Circumstances extends Partial<Omit<Attempt, 'client' | 'destination'>> {
  /** Where the client is; `null`: it came by a unix socket. Default: far away. */
  from?: string | null
  /** Where it wants to go. Default: that is not known yet. */
  to?: string
  port?: number
}

/** An attempt to CONNECT, by nobody in particular. An IP address to go to is the address already. */
export const attempt = ({ from = '198.51.100.99', to, port = 80, ...rest }: Circumstances = {}): Attempt => ({
  command: 'connect',
  identity: { method: 'none' },
  client: from === null ? undefined : { host: from, port: 50_000 },
  destination: to === undefined ? undefined : { host: to, port },
  ip: to === undefined || addressType(to) === 'domain' ? undefined : canonicalHost(to),
  ...rest
})

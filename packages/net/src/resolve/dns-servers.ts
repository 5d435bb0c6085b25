import { Resolver } from 'node:dns/promises'
import { ConfigurationError, addressType, canonicalHost, formatAddress, parseAddress } from '@it-socks/protocol'

export interface DnsServersOptions {
  /** Whom to ask: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`. The next where one is silent. */
  servers: readonly string[]
  /** How long a server may take at the first try, in milliseconds; each further try has longer. Default: 2000. */
  timeout?: number
  /** How often each server is tried. Default: 2. */
  tries?: number
}

/**
 * Makes what opens a resolver for these servers: one for each lookup, so that it can be cancelled alone. It also has a
 * port, and so a secret, of its own.
 *
 * @throws {ConfigurationError} for a server that is no IP address, or without one
 */
export const dnsServers = ({ servers, timeout = 2000, tries = 2 }: DnsServersOptions): (() => Resolver) => {
  if (servers.length === 0) throw new ConfigurationError('no DNS server is named')
  const asked = servers.map(serverOf)
  const open = (): Resolver => {
    const resolver = new Resolver({ timeout, tries })
    resolver.setServers(asked)
    return resolver
  }
  try {
    open()
  } catch (cause) {
    throw new ConfigurationError('the options of the DNS resolver are not valid', { cause })
  }
  return open
}

/** Node itself takes any number for a port, and dies of 0. */
const serverOf = (text: string): string => {
  const host = canonicalHost(text)
  if (addressType(host) !== 'domain') return host
  const server = parseServer(text)
  if (addressType(server.host) === 'domain' || server.port === 0) throw noServer(text)
  return formatAddress(server)
}

const parseServer: typeof parseAddress = (text) => {
  try {
    return parseAddress(text)
  } catch (cause) {
    throw noServer(text, { cause })
  }
}

const noServer = (text: string, options?: ErrorOptions): ConfigurationError =>
  new ConfigurationError(`${text} is not the address of a DNS server`, options)

import type { Endpoint } from '@it-socks/net'
import { formatAddress } from '@it-socks/protocol'

/** An endpoint as `--listen` takes it. */
export const formatEndpoint = (endpoint: Endpoint): string =>
  'path' in endpoint ? `unix:${endpoint.path}` : formatAddress(endpoint)

/** Where a client on this machine finds what listens on all addresses. */
const nearby = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1']
])

/** A curl command line that goes through the proxy; it asks for the password by itself. */
export const tryWith = (endpoint: Endpoint, hasUsers: boolean): string => {
  const proxy =
    'path' in endpoint
      ? `socks5h://localhost${encodeURI(endpoint.path)}`
      : `socks5h://${formatAddress({ host: nearby.get(endpoint.host) ?? endpoint.host, port: endpoint.port })}`
  return `curl --proxy ${proxy}${hasUsers ? ' --proxy-user name' : ''} https://example.com`
}

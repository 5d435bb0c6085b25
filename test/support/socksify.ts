import type { ProxyAddress } from './proxies.ts'
import { start, type Running, type RunOptions } from './run.ts'
import { temporaryFile } from './temporary.ts'

/**
 * Starts a program under Dante's client library, which takes its connections and datagrams through a SOCKS5 proxy. That
 * library says on stderr what it does. Left to itself, it goes to addresses of this machine's own networks directly.
 */
export const startSocksified = async (
  proxy: ProxyAddress,
  name: string,
  args: readonly string[],
  options: Pick<RunOptions, 'cwd'> = {}
): Promise<Running> => {
  const [host, port] = proxy.split(':')
  const config = await temporaryFile(
    'socks.conf',
    `logoutput: stderr
route {
  from: 0.0.0.0/0 to: 0.0.0.0/0 via: ${host} port = ${port}
  proxyprotocol: socks_v5
  protocol: tcp udp
  command: connect bind udpassociate
  method: none
}
`
  )
  return start('socksify', [name, ...args], { ...options, env: { SOCKS_CONF: config, SOCKS_AUTOADD_LANROUTES: 'no' } })
}

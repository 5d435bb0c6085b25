import { none, usernamePassword, type ClientMethod } from '@it-socks/auth'
import { systemResolve } from '@it-socks/net'
import { ConfigurationError, canonicalHost, type Address } from '@it-socks/protocol'
import type { Resolve } from '@it-socks/stage'
import { socks4, socks5, type Dialect } from './dialect.ts'

/** A SOCKS proxy and how to use it. */
export interface Proxy {
  readonly host: string
  /** Default: 1080. */
  readonly port?: number
  /**
   * The version of SOCKS that it speaks. Version 4 has CONNECT and BIND only; it has IPv4 addresses where names are
   * resolved here, and is SOCKS4a, which has domains, where they are not. Default: 5.
   */
  readonly version?: 5 | 4
  /** Together with `password`: offered beside "no authentication". For SOCKS4, which has no passwords, the user id. */
  readonly username?: string
  readonly password?: string
  /** Authentication methods to offer, in place of those that follow from `username` and `password`. SOCKS5 alone has them. */
  readonly methods?: readonly ClientMethod[]
  /**
   * Who resolves the destination's name: the proxy (`remote`, the default), this machine (`local`), or a `Resolve` of
   * your own. A URL says it by its scheme: `socks5h:` and `socks4a:` are remote, `socks5:` and `socks4:` local, as for
   * curl.
   */
  readonly names?: 'remote' | 'local' | Resolve
}

/** A proxy with every default filled in. */
export interface ProxySettings {
  readonly address: Address
  /** How to talk to it. */
  readonly dialect: Dialect
  /** Where names are resolved on this side. */
  readonly resolve: Resolve | undefined
}

const schemes = new Map<string, Pick<Proxy, 'version' | 'names'>>([
  ['socks5:', { names: 'local' }],
  ['socks5h:', { names: 'remote' }],
  ['socks4:', { version: 4, names: 'local' }],
  ['socks4a:', { version: 4, names: 'remote' }]
])

/**
 * Reads a proxy URL: `socks5://user:password@host:port`, or `socks5h://…` to have the proxy resolve names; for SOCKS4
 * `socks4://userid@host:port`, or `socks4a://…` to have the proxy resolve names. User name, password and host are
 * percent-decoded.
 *
 * @throws {ConfigurationError} for anything else; the message never has the password
 *
 * @example
 *
 * ```ts
 * import { parseProxy } from '@it-socks/client'
 *
 * parseProxy('socks5h://alice:open%20sesame@proxy.example')
 * // => { host: 'proxy.example', port: 1080, names: 'remote', username: 'alice', password: 'open sesame' }
 * ```
 */
export const parseProxy = (url: string | URL): Proxy => {
  const { protocol, hostname, port, username, password, pathname, search, hash } = toUrl(url)
  const scheme = schemes.get(protocol)
  if (scheme === undefined) {
    // Without `//` it is perhaps no scheme, but a name or a password.
    const what = String(url).startsWith(`${protocol}//`) ? `${protocol}// is no` : 'the proxy URL has no'
    throw new ConfigurationError(`${what} proxy scheme: use socks5h://, socks5://, socks4a:// or socks4://`)
  }
  if (hostname === '') throw new ConfigurationError('the proxy URL has no host')
  if (username === '' && password !== '') throw new ConfigurationError('the proxy URL has a password but no user name')
  if (scheme.version === 4 && password !== '') throw new ConfigurationError(noPassword)
  // For curl, a path after `localhost` is a unix socket: credentials meant for that must not go to a port instead.
  if (!/^\/?$/.test(pathname) || search !== '' || hash !== '') {
    throw new ConfigurationError('a proxy URL ends with its host or port: it has no path, query or fragment')
  }
  return {
    host: canonicalHost(hostOf(hostname)),
    port: port === '' ? 1080 : Number(port),
    ...scheme,
    ...(username !== '' && { username: decode(username) }),
    ...(username !== '' && scheme.version !== 4 && { password: decode(password) })
  }
}

const toUrl = (url: string | URL): URL => {
  if (url instanceof URL) return url
  // The error of `new URL` carries its input, and with it the password.
  if (!URL.canParse(url)) throw new ConfigurationError('the proxy URL cannot be read')
  return new URL(url)
}

const hostOf = (hostname: string): string => {
  const host = decode(hostname)
  if (/[ \p{Cc}]/u.test(host))
    throw new ConfigurationError('the host of a proxy URL has no spaces or control characters')
  return host
}

const decode = (component: string): string => {
  try {
    return decodeURIComponent(component)
  } catch {
    throw new ConfigurationError('a proxy URL is percent-encoded UTF-8')
  }
}

/** @throws {ConfigurationError} for a URL that is none, or credentials that the version of SOCKS has no place for */
export const settle = (proxy: string | URL | Proxy): ProxySettings => {
  const given = typeof proxy === 'string' || proxy instanceof URL ? parseProxy(proxy) : proxy
  const { host, port = 1080, version = 5, names = 'remote' } = given
  return {
    address: { host, port },
    dialect: version === 4 ? inVersion4(given) : inVersion5(given),
    resolve: names === 'remote' ? undefined : names === 'local' ? systemResolve() : names
  }
}

const inVersion5 = ({ username, password, methods }: Proxy): Dialect => {
  if ((username === undefined) !== (password === undefined)) {
    throw new ConfigurationError('a proxy has a user name and a password, or neither')
  }
  const credentials = username !== undefined && password !== undefined ? [usernamePassword({ username, password })] : []
  return socks5(methods ?? [none(), ...credentials])
}

const noPassword = 'SOCKS4 has a user id, and no password'

const inVersion4 = ({ username = '', password, methods, names = 'remote' }: Proxy): Dialect => {
  if (password !== undefined) throw new ConfigurationError(noPassword)
  if (methods !== undefined) throw new ConfigurationError('SOCKS4 has no authentication methods')
  return socks4(username, names === 'remote' ? '4a' : '4')
}

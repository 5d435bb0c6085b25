import { none, usernamePassword, type ClientMethod } from '@it-socks/auth'
import { systemResolve } from '@it-socks/net'
import { ConfigurationError, canonicalHost, type Address } from '@it-socks/protocol'
import type { Resolve } from '@it-socks/stage'

/** A SOCKS5 proxy and how to use it. */
export interface Proxy {
  readonly host: string
  /** Default: 1080. */
  readonly port?: number
  /** Together with `password`: offered beside "no authentication". */
  readonly username?: string
  readonly password?: string
  /** Authentication methods to offer, in place of those that follow from `username` and `password`. */
  readonly methods?: readonly ClientMethod[]
  /**
   * Who resolves the destination's name: the proxy (`remote`, the default), this machine (`local`), or a `Resolve` of
   * your own. A URL says it by its scheme: `socks5h:` is remote, `socks5:` local, as for curl.
   */
  readonly names?: 'remote' | 'local' | Resolve
}

/** A proxy with every default filled in. */
export interface ProxySettings {
  readonly address: Address
  readonly methods: readonly ClientMethod[]
  /** Where names are resolved on this side. */
  readonly resolve: Resolve | undefined
}

const names = new Map<string, 'local' | 'remote'>([
  ['socks5:', 'local'],
  ['socks5h:', 'remote']
])

/**
 * Reads a proxy URL: `socks5://user:password@host:port`, or `socks5h://…` to have the proxy resolve names. User name,
 * password and host are percent-decoded.
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
  const where = names.get(protocol)
  if (where === undefined) throw new ConfigurationError(`${protocol}// is no proxy scheme: use socks5:// or socks5h://`)
  if (hostname === '') throw new ConfigurationError('the proxy URL has no host')
  if (username === '' && password !== '') throw new ConfigurationError('the proxy URL has a password but no user name')
  // For curl, a path after `localhost` is a unix socket: credentials meant for that must not go to a port instead.
  if (!/^\/?$/.test(pathname) || search !== '' || hash !== '') {
    throw new ConfigurationError('a proxy URL ends with its host or port: it has no path, query or fragment')
  }
  return {
    host: canonicalHost(decode(hostname)),
    port: port === '' ? 1080 : Number(port),
    names: where,
    ...(username !== '' && { username: decode(username), password: decode(password) })
  }
}

const toUrl = (url: string | URL): URL => {
  if (url instanceof URL) return url
  // The error of `new URL` carries its input, and with it the password.
  if (!URL.canParse(url)) throw new ConfigurationError('the proxy URL cannot be read')
  return new URL(url)
}

const decode = (component: string): string => {
  try {
    return decodeURIComponent(component)
  } catch {
    throw new ConfigurationError('a proxy URL is percent-encoded UTF-8')
  }
}

/** @throws {ConfigurationError} for a URL that is none, or a user name without a password */
export const settle = (proxy: string | URL | Proxy): ProxySettings => {
  const given = typeof proxy === 'string' || proxy instanceof URL ? parseProxy(proxy) : proxy
  const { host, port = 1080, username, password, names = 'remote' } = given
  if ((username === undefined) !== (password === undefined)) {
    throw new ConfigurationError('a proxy has a user name and a password, or neither')
  }
  const credentials = username !== undefined && password !== undefined ? [usernamePassword({ username, password })] : []
  return {
    address: { host, port },
    methods: given.methods ?? [none(), ...credentials],
    resolve: names === 'remote' ? undefined : names === 'local' ? systemResolve() : names
  }
}

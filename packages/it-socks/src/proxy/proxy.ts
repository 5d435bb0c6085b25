import { parseProxy, type Proxy } from '@it-socks/client'
import { ConfigurationError, formatAddress } from '@it-socks/protocol'
import type { Option } from 'commander'
import { UsageError } from '../failure.ts'
import { option } from '../options/option.ts'

/** `--proxy`, or `IT_SOCKS_PROXY` in the environment. */
export const proxyOption = (description: string): Option =>
  option('--proxy <url>', description, parseProxyOption).env('IT_SOCKS_PROXY').makeOptionMandatory()

/** Reads `--proxy`. @throws {UsageError} whose message has no part of the URL but its scheme */
const parseProxyOption = (url: string): Proxy => {
  try {
    return parseProxy(url)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new UsageError(`takes socks5h://[name[:password]@]host[:port]: ${error.message}`, { cause: error })
  }
}

/**
 * The proxy with the password from `IT_SOCKS_PROXY_PASSWORD`, where its URL has a user name and no password. SOCKS4 has
 * none.
 */
export const withPassword = (proxy: Proxy): Proxy => {
  if (proxy.version === 4 || proxy.username === undefined || (proxy.password ?? '') !== '') return proxy
  const password = process.env['IT_SOCKS_PROXY_PASSWORD']
  if (password === undefined || password === '') {
    throw new UsageError('--proxy has a user name and no password: put it into IT_SOCKS_PROXY_PASSWORD')
  }
  return { ...proxy, password }
}

/** A proxy as `host:port`. */
export const formatProxy = ({ host, port = 1080 }: Proxy): string => formatAddress({ host, port })

import { parseProxy, type Proxy } from '@it-socks/client'
import { ConfigurationError } from '@it-socks/protocol'
import { UsageError } from '../failure.ts'

/** Reads `--proxy`. @throws {UsageError} whose message has no part of the URL but its scheme */
export const parseProxyOption = (url: string): Proxy => {
  try {
    return parseProxy(url)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new UsageError(`takes socks5h://[name[:password]@]host[:port]: ${error.message}`, { cause: error })
  }
}

/** The proxy with the password from the environment, where its URL has a user name and no password. */
export const withPassword = (proxy: Proxy, password: string | undefined): Proxy => {
  if (proxy.username === undefined || (proxy.password ?? '') !== '') return proxy
  if (password === undefined || password === '') {
    throw new UsageError('--proxy has a user name and no password: put it into IT_SOCKS_PROXY_PASSWORD')
  }
  return { ...proxy, password }
}

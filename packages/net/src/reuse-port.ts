import { ConfigurationError } from '@it-socks/protocol'

/**
 * Holds that sockets of Node's can share a port. A release that does not know the option ignores it, and whoever comes
 * second is refused for no reason that one could see.
 *
 * @throws {ConfigurationError}
 */
export const checkReusePort = (unix: boolean, version: string = process.versions.node): void => {
  if (unix) throw new ConfigurationError('reusePort is for TCP: a unix socket cannot be shared')
  if (!isKnown(version)) {
    throw new ConfigurationError(`reusePort needs Node 22.12, 23.1 or later; this is ${version}`)
  }
}

const isKnown = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)
}

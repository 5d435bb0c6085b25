import { ConfigurationError, addressType, ipToBytes, isLoopback, type Address } from '@it-socks/protocol'

/** Where a command is reached, behind NAT or not. */
export interface PublicHost {
  /**
   * The IP address that others know this machine by, where it is behind NAT: told in place of one of the same family that
   * is not loopback. Default: none.
   */
  publicHost?: string
}

/** Says how to tell others of an address of ours. @throws {ConfigurationError} for a `publicHost` that is no IP address, or 0.0.0.0 */
export const publicAddress = ({ publicHost }: PublicHost): ((address: Address) => Address) => {
  if (publicHost === undefined) return (address) => address
  const type = addressType(publicHost)
  if (type === 'domain') throw new ConfigurationError('publicHost is not an IP address')
  if (ipToBytes(publicHost).every((byte) => byte === 0)) {
    throw new ConfigurationError(`nobody can connect to ${publicHost}: publicHost is the address that others know`)
  }
  return (address) =>
    isLoopback(address.host) || addressType(address.host) !== type ? address : { host: publicHost, port: address.port }
}

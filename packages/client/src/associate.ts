import { addressesOf, datagramBinder, systemResolve } from '@it-socks/net'
import { MalformedError, addressType, isLoopback, unspecified, type Address } from '@it-socks/protocol'
import type { ByteDuplex, DatagramBinder } from '@it-socks/stage'
import type { Association, AssociationOptions } from './association.ts'
import { inTime, type ThroughOptions } from './enter.ts'
import { rememberNames } from './names.ts'
import { checkOptions, openAssociation, type Ground } from './open-association.ts'
import { settle, type ProxySettings } from './proxy.ts'
import { reachable } from './reachable.ts'

export interface AssociateOptions extends ThroughOptions, AssociationOptions {
  /** What opens the UDP socket. Default: `datagramBinder()`. */
  binder?: DatagramBinder
}

/**
 * Has a SOCKS5 proxy relay datagrams (UDP ASSOCIATE, RFC 1928 sections 4 and 7). `signal` and `timeout` are for reaching
 * the proxy and its answer; from then on there is `close`.
 *
 * The proxy is told that datagrams come from 0.0.0.0:0, which means that we do not know: what we see as our address is
 * not what the proxy sees where a NAT is between. Its relay must be reached directly: a `dial` through another proxy
 * leads to the proxy, but not to its relay.
 *
 * The promise rejects as that of `connect` does, and with a `ConfigurationError` for a SOCKS4 proxy, which has no UDP.
 *
 * @example
 *
 * ```ts
 * import { associate } from '@it-socks/client'
 *
 * const ask = async (question: Uint8Array) => {
 *   const association = await associate({ proxy: 'socks5h://127.0.0.1:1080' })
 *   await association.send(question, '192.0.2.53:53')
 *   for await (const { from, data } of association.source) {
 *     if (from.port === 53) return data // leaving the loop closes the association
 *   }
 *   throw new Error('nobody answered')
 * }
 * ```
 */
export const associate = async ({
  proxy,
  binder = datagramBinder(),
  ...options
}: AssociateOptions): Promise<Association> => {
  const settings = settle(proxy)
  const request = settings.dialect.ask({ command: 'udpAssociate', destination: unspecified })
  checkOptions(options)
  return inTime(options, settings, 'associating with the proxy', async (enter, signal) => {
    const { bound, duplex: connection } = await enter(request, signal)
    try {
      const relay = await relayOf(bound, connection, settings, signal)
      const host = nearest(connection.localAddress?.host, relay.host)
      return await openAssociation(
        { connection, relay, bind: (handlers) => binder({ host, ...handlers }), names: namesOf(settings) },
        options,
        signal
      )
    } catch (error) {
      connection.abort?.(error)
      throw error
    }
  })
}

/** Where the relay is, as an IP address: that is what its datagrams come from. */
const relayOf = async (
  bound: Address,
  { remoteAddress }: ByteDuplex,
  { address, resolve = systemResolve() }: ProxySettings,
  signal: AbortSignal
): Promise<Address> => {
  if (bound.port === 0) throw new MalformedError('the relay of the proxy has port 0')
  const ipOf = async (host: string): Promise<string> => (await addressesOf(resolve, host, { signal }))[0]
  // It may be told as a domain that stands for nothing, such as "0".
  const { host, port } = reachable({ ...bound, host: await ipOf(bound.host) }, remoteAddress ?? address)
  return { host: await ipOf(host), port }
}

/** The address from which we reach the proxy, unless the relay cannot be reached from there. */
const nearest = (local: string | undefined, relay: string): string => {
  const alike =
    local !== undefined && addressType(local) === addressType(relay) && isLoopback(local) === isLoopback(relay)
  if (alike) return local
  return addressType(relay) === 'ipv6' ? '::' : '0.0.0.0'
}

const namesOf =
  ({ resolve }: ProxySettings): Ground['names'] =>
  (signal) =>
    resolve === undefined ? async (host) => host : rememberNames(resolve, signal)

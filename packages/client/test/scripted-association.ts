import { associate, type AssociateOptions, type Association } from '@it-socks/client'
import { memoryDatagrams, toHex, client, server, type Line, type MemoryDatagrams } from '@it-socks/testing'
import { scriptedProxy, type ScriptedProxy, type ScriptedProxyOptions } from './scripted-proxy.ts'

/** The conversation up to the association: the relay is at 127.0.0.1:6000. */
export const associating: readonly Line[] = [
  client`05 01 00`,
  server`05 00`,
  client`05 03 00 01 00000000 0000`,
  server`05 00 00 01 7f000001 1770`
]

/** A relay that says and hears what a test tells it to. */
interface ScriptedRelay {
  /** The next datagram that came, in hexadecimal. */
  heard(): Promise<string>
  /** Sends a datagram to the association. */
  say(datagram: Uint8Array): void
}

/** An association with a scripted proxy, over a UDP network in memory. */
export interface ScriptedAssociation {
  readonly association: Association
  readonly proxy: ScriptedProxy
  readonly network: MemoryDatagrams
  readonly relay: ScriptedRelay
}

export interface ScriptedAssociationOptions extends Omit<AssociateOptions, 'proxy' | 'binder'>, ScriptedProxyOptions {
  /** What the proxy says and hears. Default: `associating`. */
  script?: readonly Line[]
  /** What the proxy option has beside host and port. */
  settings?: Partial<Exclude<AssociateOptions['proxy'], string | URL>>
}

export const scriptedAssociation = async ({
  script = associating,
  settings = {},
  finally: ending = 'wait',
  ...options
}: ScriptedAssociationOptions = {}): Promise<ScriptedAssociation> => {
  const network = memoryDatagrams()
  const socket = network.bind('127.0.0.1', 6000)
  const proxy = await scriptedProxy(script, { finally: ending })
  const { host, port } = proxy
  const association = await associate({ proxy: { host, port, ...settings }, binder: network.binder, ...options })
  const relay: ScriptedRelay = {
    heard: async () => toHex((await socket.receive()).data),
    say: (datagram) => socket.send(datagram, association.localAddress)
  }
  return { association, proxy, network, relay }
}

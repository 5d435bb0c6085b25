import { afterEach, expect } from 'vitest'
import { authenticate, login, none } from '@it-socks/auth'
import { ask, command, request, udpAssociate, type UdpAssociateOptions } from '@it-socks/command'
import { unspecified, type Address } from '@it-socks/protocol'
import { relay, type RelayOptions } from '@it-socks/relay'
import {
  frames,
  handshake,
  never,
  observe,
  pipe,
  stage,
  type Authorized,
  type DatagramBinder,
  type Permit,
  type Resolve,
  type Stage,
  type Tunnel,
  type Tunnelled
} from '@it-socks/stage'
import { duplexPair, memoryDatagrams, type MemoryDatagrams } from '@it-socks/testing'

export interface AssociateOptions extends Partial<UdpAssociateOptions>, RelayOptions {
  /** DST.ADDR and DST.PORT of the request. Default: 0.0.0.0:0. */
  destination?: Address
  /** Where the client reached the server. Default: 192.0.2.1. */
  serverHost?: string
  /** Where the client is. Default: 192.0.2.7. */
  clientHost?: string
  /** Default: that of a new network. */
  binder?: (network: MemoryDatagrams) => DatagramBinder
  permit?: Permit
  /** What comes between the command and the relay. */
  after?: Stage<unknown, {}>
  signal?: AbortSignal
}

export const unresolving: Resolve = async (host) => {
  throw new Error(`${host} was not to be resolved`)
}

const nothing = stage<unknown, {}>(async function* () {
  return {}
})

const running: Array<() => Promise<void>> = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((finish) => finish()))
})

/** A server on a network in memory and a client that has just been granted its association. */
export const associate = async ({
  destination = unspecified,
  serverHost = '192.0.2.1',
  clientHost = '192.0.2.7',
  binder = ({ binder }) => binder,
  resolve = unresolving,
  permit,
  after = nothing,
  signal = never,
  idle = Infinity,
  ...options
}: AssociateOptions = {}) => {
  const network = memoryDatagrams()
  const addresses = [
    { host: serverHost, port: 1080 },
    { host: clientHost, port: 40_000 }
  ] as const
  const [near, far] = duplexPair({ addresses })
  const traffic = { up: 0, down: 0 }
  let tunnel: Tunnel | undefined
  const ruled = stage<unknown, Partial<Authorized>>(async function* () {
    return permit === undefined ? {} : { permit }
  })

  const served = pipe(
    near,
    frames({ signal, context: { connection: near } }),
    authenticate([none()]),
    request(),
    ruled,
    command({ udpAssociate: udpAssociate(binder(network), { resolve, ...options }) }),
    observe<Tunnelled>((context) => {
      tunnel = context.tunnel
    }),
    after,
    relay(near, { linger: 0, idle, traffic })
  )
  const ended = served.then(
    () => 'closed',
    (error: unknown) => error
  )
  const asked = ask({ command: 'udpAssociate', destination })
  const { context, duplex } = await pipe(far, frames(), login([none()]), asked, handshake(far, { linger: 0 }))

  let leave!: () => void
  const staying = new Promise<void>((resolve) => {
    leave = resolve
  })
  const silence = async function* (): AsyncGenerator<Uint8Array, void> {
    await staying
  }
  const listening = async (): Promise<void> => {
    for await (const bytes of duplex.source) throw new Error(`the server said ${bytes.byteLength} bytes`)
  }
  const over = Promise.allSettled([duplex.sink(silence()), listening()])
  running.push(async () => {
    leave()
    await over
    await ended
    expect(network.open()).toEqual([])
  })

  return {
    network,
    /** BND.ADDR and BND.PORT. */
    bound: context.bound,
    /** The client's UDP socket. */
    client: network.bind(clientHost),
    tunnel: tunnel!,
    /** How many datagrams were dropped, by reason; reasons that never came are left out. */
    dropped: () => Object.fromEntries(Object.entries(tunnel!.datagrams!.dropped).filter(([, count]) => count > 0)),
    traffic,
    /** Half-closes the client's connection. */
    leave,
    /** Resets it. */
    reset: () => far.abort(new Error('reset by the client')),
    /** `closed`, or what the server's pipeline threw. */
    ended
  }
}

import { fragment, reassemble } from '@it-socks/command'
import { ClosedError, ConfigurationError, ProxyClosedError, parseAddress, type Address } from '@it-socks/protocol'
import { onAbort, type ByteDuplex, type DatagramBinderOptions, type DatagramSocket } from '@it-socks/stage'
import type { Association, AssociationOptions, DropReason } from './association.ts'
import { datagramQueue } from './datagram-queue.ts'
import { datagramsFor, readDatagram } from './datagrams.ts'
import { hangUp } from './hang-up.ts'

/** What an association stands on. */
export interface Ground {
  /** The connection to the proxy, with which it ends. */
  readonly connection: ByteDuplex
  readonly relay: Address
  readonly bind: (options: Omit<DatagramBinderOptions, 'host'>) => Promise<DatagramSocket>
  /** Makes what turns a host into what the proxy is to be told. */
  readonly names: (signal: AbortSignal) => (host: string) => Promise<string>
}

/** @throws {ConfigurationError} for options that cannot be */
export const checkOptions = (options: AssociationOptions): void => {
  const { maxQueued = 1, maxQueuedBytes = 1 } = options
  for (const [name, limit] of Object.entries({ maxQueued, maxQueuedBytes })) {
    if (!(limit > 0)) throw new ConfigurationError(`${name} is a number above zero, or Infinity`)
  }
  fragment(new Uint8Array(), options.fragmentSize ?? 1)
  reassemble(() => {}, options)
}

/** Opens the socket, and the association on it. Where that fails or `signal` aborts, the connection stays as it is. */
export const openAssociation = async (
  { connection, relay, bind, names }: Ground,
  options: AssociationOptions,
  signal: AbortSignal
): Promise<Association> => {
  const dropped: Record<DropReason, number> = { stranger: 0, malformed: 0, fragment: 0, congested: 0, unsent: 0 }
  const drop = (reason: DropReason, count = 1): void => {
    dropped[reason] += count
  }
  const queue = datagramQueue(options, () => close())
  const reassembly = reassemble((fragments) => drop('fragment', fragments), options)

  const take = (bytes: Uint8Array, from: Address): void => {
    if (from.port !== relay.port || from.host !== relay.host) return drop('stranger')
    const datagram = readDatagram(bytes)
    if (datagram === undefined) return drop('malformed')
    const whole = reassembly.take(datagram)
    if (whole !== undefined && !queue.push({ from: whole.destination, data: whole.data })) drop('congested')
  }

  const life = new AbortController()
  const forget = onAbort(signal, () => life.abort(signal.reason))
  const socket = await bind({ signal: life.signal, received: take, dropped: () => drop('unsent') }).finally(forget)
  if (signal.aborted) {
    socket.close()
    throw signal.reason
  }

  const end = (reason: unknown): void => {
    life.abort(reason)
    socket.close()
    reassembly.stop()
  }
  const close = (error?: unknown): void => {
    if (life.signal.aborted) return
    end(error ?? new ClosedError('the association was closed'))
    if (error === undefined) queue.end()
    else queue.fail(error)
  }

  const hungUp = (options?: ErrorOptions): void =>
    close(new ProxyClosedError('datagram', { ...options, message: 'the proxy ended the association' }))
  readAway(connection).then(
    () => hungUp(),
    (cause: unknown) => hungUp({ cause })
  )
  void hangUp(connection, aborted(life.signal))

  const find = names(life.signal)
  return {
    source: queue.source,
    async send(data, to) {
      const { host, port } = typeof to === 'string' ? parseAddress(to) : to
      const destination = { host: await find(host), port }
      life.signal.throwIfAborted()
      for (const datagram of datagramsFor(data, destination, options.fragmentSize)) socket.send(datagram, relay)
    },
    relay,
    localAddress: socket.localAddress,
    dropped,
    close
  }
}

/** A proxy has nothing to say any more; what it says all the same must not hold up its end. */
const readAway = async ({ source }: ByteDuplex): Promise<void> => {
  for await (const _ of source);
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    onAbort(signal, resolve)
  })

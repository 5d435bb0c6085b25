import { RefusedError, addressType, isLoopback, type Address } from '@it-socks/protocol'
import {
  joined,
  lengthOf,
  never,
  onAbort,
  type DatagramBinder,
  type DatagramBinderOptions,
  type DatagramSocket
} from '@it-socks/stage'

/** A datagram that came, and from where. */
export interface MemoryDatagram {
  readonly data: Uint8Array
  readonly from: Address
}

/** A UDP socket of a test, as a client or a peer has one. */
export interface MemoryDatagramSocket extends DatagramSocket {
  /** The datagram that came first, or the next one to come. */
  receive(): Promise<MemoryDatagram>
  /** What came and was not received yet. */
  readonly inbox: readonly MemoryDatagram[]
}

/** A UDP network in memory. */
export interface MemoryDatagrams {
  /** For `udpAssociate`. */
  readonly binder: DatagramBinder
  /** Binds a socket at an IP address of your choice; where `port` is 0, or missing, at the next free port. */
  bind(host: string, port?: number): MemoryDatagramSocket
  /** Where the binder's sockets are bound that are open: empty when nothing was left open. */
  readonly open: () => readonly Address[]
}

export interface MemoryDatagramsOptions {
  /** The addresses that `0.0.0.0` and `::` stand for. Default: 203.0.113.1 and 2001:db8:ffff::1. */
  addresses?: { readonly '0.0.0.0': string; readonly '::': string }
}

interface Endpoint {
  readonly at: Address
  readonly received: DatagramBinderOptions['received']
}

const mostOf = { ipv4: 65_507, ipv6: 65_527, domain: 0 } as const

/**
 * A UDP network in memory, with every IP address that a test binds a socket at. Datagrams arrive a little later, in order,
 * each in a copy; those to where nobody is are lost. As with the system's sockets, one that is bound to loopback reaches
 * loopback only, none reaches the other family, and what is larger than UDP carries is not sent. Sending on a socket that
 * was closed throws: it is a mistake.
 *
 * @example
 *
 * ```ts
 * import { memoryDatagrams } from '@it-socks/testing'
 *
 * const network = memoryDatagrams()
 * const [near, far] = [network.bind('192.0.2.1', 53), network.bind('192.0.2.2', 53)]
 * near.send(Uint8Array.of(1, 2), far.localAddress)
 * await far.receive() // => { data: Uint8Array.of(1, 2), from: { host: '192.0.2.1', port: 53 } }
 * ```
 */
export const memoryDatagrams = ({
  addresses = { '0.0.0.0': '203.0.113.1', '::': '2001:db8:ffff::1' }
}: MemoryDatagramsOptions = {}): MemoryDatagrams => {
  const endpoints = new Map<string, Endpoint>()
  const ofBinder = new Set<Address>()
  let nextPort = 49_152

  const place = ({ host, port }: Address): string => `${host} ${port}`
  const isWildcard = (host: string): host is keyof typeof addresses => host in addresses

  const openAt = (
    { host, received, dropped = () => {} }: Omit<DatagramBinderOptions, 'signal'>,
    port: number,
    closed: (localAddress: Address) => void
  ): DatagramSocket => {
    const localAddress = { host, port: port === 0 ? nextPort++ : port }
    /** Where its datagrams come from, and where it gets some. */
    const at = { host: isWildcard(host) ? addresses[host] : host, port: localAddress.port }
    if (endpoints.has(place(at))) throw new RefusedError('general-failure', { message: `${place(at)} is taken` })
    endpoints.set(place(at), { at, received })
    let isOpen = true
    return {
      localAddress,
      send(data, to) {
        if (!isOpen) throw new Error(`sent on a closed socket: ${place(at)}`)
        const obstacle = obstacleOf(lengthOf(data), at.host, to.host)
        if (obstacle !== undefined) return dropped(new Error(obstacle))
        const copy = joined(data)
        queueMicrotask(() => endpoints.get(place(to))?.received(copy, at))
      },
      close() {
        if (!isOpen) return
        isOpen = false
        endpoints.delete(place(at))
        closed(localAddress)
      }
    }
  }

  return {
    async binder({ signal = never, ...options }) {
      signal.throwIfAborted()
      const socket = openAt(options, 0, (localAddress) => {
        ofBinder.delete(localAddress)
        forget()
      })
      ofBinder.add(socket.localAddress)
      const forget = onAbort(signal, () => socket.close())
      return socket
    },
    bind(host, port = 0) {
      const inbox: MemoryDatagram[] = []
      const readers: Array<(datagram: MemoryDatagram) => void> = []
      const received: DatagramBinderOptions['received'] = (data, from) => {
        const reader = readers.shift()
        if (reader === undefined) inbox.push({ data, from })
        else reader({ data, from })
      }
      const socket = openAt({ host, received }, port, () => {})
      return {
        ...socket,
        inbox,
        receive: async () => inbox.shift() ?? (await new Promise((resolve) => readers.push(resolve)))
      }
    },
    open: () => [...ofBinder]
  }
}

/** Why a datagram cannot be sent, if it cannot. */
const obstacleOf = (length: number, from: string, to: string): string | undefined => {
  if (addressType(from) !== addressType(to)) return `${from} does not reach the family of ${to}`
  if (isLoopback(from) && !isLoopback(to)) return `${from} does not reach beyond loopback`
  if (length > mostOf[addressType(to)]) return `${length} bytes are too many`
  return undefined
}

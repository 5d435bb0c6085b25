import { isDescriptorTransport, portable, type DescriptorTransport, type Engine } from '@it-socks/net'
import type { Flow, Transport } from '@it-socks/stage'
import { close } from '@it-socks/syscall'
import { duplicate } from './descriptor.ts'
import { relayDescriptors, type Relayed } from './relay-descriptors.ts'

/**
 * The portable engine, but for the relay: where both sides are connections that it has brought itself, TCP or unix, it takes over their
 * descriptors when the handshake is over, and moves bytes in the kernel. All else (TLS, streams that are no sockets, a
 * relay with transforms) it leaves to them, and so it does where there are no descriptors left to duplicate. For Linux.
 *
 * @example
 *
 * ```ts
 * import { splice } from '@it-socks/splice'
 * import { createServer } from '@it-socks/server'
 *
 * const server = createServer({ engine: splice(), listen: { host: '127.0.0.1', port: 0 } })
 * await server.listen()
 * await server.close()
 * ```
 */
export const splice = (): Engine => ({ ...portable, name: 'splice', join: joinSockets })

const joinSockets = (client: Transport, target: Transport, flow: Flow): boolean => {
  if (!isDescriptorTransport(client) || !isDescriptorTransport(target)) return false
  if (client === target || !client.detachable || !target.detachable) return false
  if (client.waiting === 0 && target.waiting === 0) return takeOver(client, target, flow)
  afterwards(client, target, flow)
  return true
}

/** What was written before has to leave before what the relay writes. */
const afterwards = (client: DescriptorTransport, target: DescriptorTransport, flow: Flow): void => {
  const watch = (act: ((error: unknown) => void) | undefined): void => {
    client.broken(act)
    target.broken(act)
  }
  watch((error) => {
    watch(undefined)
    flow.failed(error)
  })
  client.drained(() =>
    target.drained(() => {
      // Where the client has broken since then, whoever watches hears of it in a moment.
      if (!client.detachable) return
      watch(undefined)
      if (!takeOver(client, target, flow)) client.join(target, flow)
    })
  )
}

/** Returns whether it has: where not, nothing has happened. */
const takeOver = (client: DescriptorTransport, target: DescriptorTransport, flow: Flow): boolean => {
  const descriptors = duplicates(client, target)
  if (descriptors === undefined) return false
  let relayed: Relayed | undefined
  let aborted = false
  const abort = (reason: unknown): void => {
    aborted = true
    relayed?.abort(reason)
  }
  const [ours, theirs] = [client.detach(abort), target.detach(abort)]
  const [near, far] = descriptors
  relayed = relayDescriptors({ fd: near, ...ours }, { fd: far, ...theirs }, flow)
  // Whoever counts has seen enough by what was ahead, before there was something to abort.
  if (aborted) relayed.abort(undefined)
  return true
}

/** Another descriptor of each. */
const duplicates = (client: DescriptorTransport, target: DescriptorTransport): [number, number] | undefined => {
  const { descriptor: near } = client
  const { descriptor: far } = target
  if (near === undefined || far === undefined) return undefined
  const one = duplicate(near)
  if (one < 0) return undefined
  const other = duplicate(far)
  if (other >= 0) return [one, other]
  close(one)
  return undefined
}

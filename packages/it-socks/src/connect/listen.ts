import { bind } from '@it-socks/client'
import { dial } from '@it-socks/net'
import { formatAddress, type Address } from '@it-socks/protocol'
import { join } from '@it-socks/relay'
import { brokenFailure, connectFailure, type Way } from '../proxy/failure.ts'
import { stdio } from '../stdio.ts'
import type { ConnectOptions } from './connect.ts'

/**
 * Has the proxy listen for `peer`, prints where, and connects stdin and stdout with whoever connects there. How long that
 * may take is up to the proxy.
 *
 * @throws {ConnectFailure}
 */
export const listen = async (peer: Address, { proxy, timeout }: ConnectOptions): Promise<void> => {
  const way: Way = { proxy, target: peer, task: 'listen' }
  const terminal = stdio()
  const listening = await bind({ proxy, peer, timeout, dial: dial({ timeout }) }).catch((error: unknown) => {
    throw connectFailure(error, way)
  })
  await terminal.print(`${formatAddress(listening.address)}\n`)
  const tunnel = await listening.accept().catch((error: unknown) => {
    throw connectFailure(error, { ...way, task: 'wait' })
  })
  await join(terminal, tunnel).catch((error: unknown) => {
    throw brokenFailure(error, { ...way, target: tunnel.remoteAddress ?? peer })
  })
}

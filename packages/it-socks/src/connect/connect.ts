import { connect as connectThrough, type Proxy } from '@it-socks/client'
import { dial } from '@it-socks/net'
import type { Address } from '@it-socks/protocol'
import { join } from '@it-socks/relay'
import { brokenFailure, connectFailure, type Way } from '../proxy/failure.ts'
import { stdio } from '../stdio.ts'

/** What `it-socks connect` is told; times in milliseconds. */
export interface ConnectOptions {
  proxy: Proxy
  timeout: number
}

/**
 * Connects stdin and stdout with a target through a proxy, until both directions have ended.
 *
 * @throws {ConnectFailure}
 */
export const connect = async (destination: Address, { proxy, timeout }: ConnectOptions): Promise<void> => {
  const way: Way = { proxy, target: destination, task: 'connect' }
  const tunnel = await connectThrough({ proxy, destination, timeout, dial: dial({ timeout }) }).catch(
    (error: unknown) => {
      throw connectFailure(error, way)
    }
  )
  await join(stdio(), tunnel).catch((error: unknown) => {
    throw brokenFailure(error, way)
  })
}

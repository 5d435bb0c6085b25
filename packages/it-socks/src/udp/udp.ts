import { associate, type Proxy } from '@it-socks/client'
import { dial } from '@it-socks/net'
import type { Address } from '@it-socks/protocol'
import { connectFailure, type Way } from '../proxy/failure.ts'
import { stdio } from '../stdio.ts'
import { converse } from './converse.ts'
import { byLine, whole } from './datagrams.ts'

/** What `it-socks udp` is told; times in milliseconds. */
export interface UdpOptions {
  proxy: Proxy
  lines?: boolean
  /** How many replies to wait for. */
  count: number
  timeout: number
}

/**
 * Sends stdin to a target through a proxy, as one datagram or line by line, and prints replies until there are enough of
 * them.
 *
 * @throws {ConnectFailure}
 */
export const udp = async (target: Address, { proxy, lines = false, count, timeout }: UdpOptions): Promise<void> => {
  const way: Way = { proxy, target, task: 'udp' }
  const terminal = stdio()
  const datagrams = lines ? byLine(terminal.source) : [await whole(terminal.source)]
  const association = await associate({ proxy, timeout, dial: dial({ timeout }) }).catch((error: unknown) => {
    throw connectFailure(error, way)
  })
  const print = (data: Uint8Array): Promise<void> => terminal.print(lines ? asLine(data) : data)
  try {
    await converse(association, datagrams, { way, count, timeout, print })
  } finally {
    association.close()
  }
}

const newline = 0x0a

const asLine = (data: Uint8Array): Uint8Array =>
  data.at(-1) === newline ? data : Buffer.concat([data, Uint8Array.of(newline)])

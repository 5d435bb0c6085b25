import { setTimeout } from 'node:timers/promises'
import type { Association } from '@it-socks/client'
import { ProxyClosedError, formatAddress } from '@it-socks/protocol'
import type { Failure } from '../failure.ts'
import { ConnectFailure, connectFailure, type Way } from '../proxy/failure.ts'
import { formatProxy } from '../proxy/proxy.ts'
import { patience } from './patience.ts'

export interface ConverseOptions {
  readonly way: Way
  /** How many replies to wait for. */
  readonly count: number
  /** How long to wait for each after all is sent, in milliseconds. */
  readonly timeout: number
  readonly print: (data: Uint8Array) => Promise<void>
}

/**
 * What is on its way when the association ends, the proxy does not send on, and nobody says when it has: so long it is
 * given, in milliseconds.
 */
const linger = 200

/** Sends datagrams to the target and prints what comes back, until there is enough of it. @throws {Failure} */
export const converse = async (
  association: Association,
  datagrams: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { way, count, timeout, print }: ConverseOptions
): Promise<void> => {
  let received = 0
  const clock = patience(timeout, () => tooFew(way, received, count, timeout))

  const send = async (): Promise<void> => {
    let sent = 0
    for await (const data of datagrams) {
      await association.send(data, way.target)
      sent++
    }
    if (sent === 0 && count > 0) throw new ConnectFailure('stdin has no line to send')
  }

  const sendAndLinger = async (): Promise<void> => {
    await send()
    await setTimeout(linger)
  }

  const sendAndWait = async (): Promise<void> => {
    await send()
    clock.start()
    await clock.over
  }

  const receive = async (): Promise<void> => {
    for await (const { data } of association.source) {
      clock.rewind()
      await print(data)
      received++
      if (received === count) return
    }
    throw ended(way)
  }

  try {
    await (count === 0 ? sendAndLinger() : Promise.race([receive(), sendAndWait()]))
  } catch (error) {
    throw exchangeFailure(error, way)
  } finally {
    clock.stop()
  }
}

const exchangeFailure = (error: unknown, way: Way): Failure =>
  error instanceof ProxyClosedError ? ended(way, { cause: error }) : connectFailure(error, way)

const ended = ({ proxy }: Way, options?: ErrorOptions): ConnectFailure =>
  new ConnectFailure(`the proxy ${formatProxy(proxy)} ended the association`, options)

const tooFew = ({ target, proxy }: Way, received: number, count: number, timeout: number): ConnectFailure => {
  const so = received === 0 ? 'no reply' : `only ${received} of ${count} replies`
  return new ConnectFailure(
    `${so} from ${formatAddress(target)} through the proxy ${formatProxy(proxy)} in ${timeout / 1000} s`
  )
}

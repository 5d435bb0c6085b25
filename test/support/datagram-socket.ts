import { onTestFinished } from 'vitest'
import type { Address } from '@it-socks/protocol'
import type { DatagramBinder, DatagramBinderOptions } from '@it-socks/stage'
import { until } from './process.ts'

interface Received {
  readonly data: Uint8Array
  readonly from: Address
}

/** A UDP socket on loopback that is closed when the test ends, with what it received and what was dropped. */
export const openDatagramSocket = async (binder: DatagramBinder, options: Partial<DatagramBinderOptions> = {}) => {
  const received: Received[] = []
  const dropped: Error[] = []
  const socket = await binder({
    host: '127.0.0.1',
    received: (data, from) => void received.push({ data, from }),
    dropped: (error) => void dropped.push(error),
    ...options
  })
  onTestFinished(() => socket.close())
  return {
    socket,
    received,
    dropped,
    texts: () => received.map(({ data }) => Buffer.from(data).toString()),
    receive: async (count: number) => {
      await until(() => received.length >= count)
      return received
    },
    first: async () => {
      await until(() => received.length > 0)
      return received.at(0)!
    },
    drop: async (count: number) => {
      await until(() => dropped.length >= count)
      return dropped
    }
  }
}

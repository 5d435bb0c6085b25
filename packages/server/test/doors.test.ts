import { createConnection } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { portable, type Engine, type Listener, type SocketDuplex } from '@it-socks/net'
import { createServer } from '@it-socks/server'

const endpoint = { host: '127.0.0.1', port: 0 }

/** Node's sockets, but for the second endpoint: there it is this that happens. */
const failingAtSecond = (fail: () => Listener): { engine: Engine; listeners: Listener[] } => {
  const listeners: Listener[] = []
  const listen: Engine['listen'] = (at, options) => {
    if (listeners.length > 0) return fail()
    const listener = portable.listen(at, options)
    listeners.push(listener)
    return listener
  }
  return { engine: { ...portable, listen }, listeners }
}

describe('a server that cannot listen everywhere', () => {
  const error = new Error('not there')

  it.each([
    [
      'throws',
      (): never => {
        throw error
      }
    ],
    [
      'rejects',
      (): Listener => ({
        listening: Promise.reject(error),
        close: () => {},
        [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) })
      })
    ]
  ])('listens nowhere where the engine %s', async (_, fail) => {
    const { engine, listeners } = failingAtSecond(fail)
    const server = createServer({ engine, listen: [endpoint, endpoint] })
    await expect(server.listen()).rejects.toBe(error)
    const [bound] = await Promise.allSettled(listeners.map(({ listening }) => listening))
    await server.close()
    if (bound?.status === 'rejected' || bound === undefined) return
    const port = 'port' in bound.value ? bound.value.port : 0
    const [refused] = await once(createConnection(port, '127.0.0.1'), 'error').catch((reason: unknown) => [reason])
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('resets those who come before it listens everywhere, when they are too many or it fails', async () => {
    const aborted: unknown[] = []
    const connection = (): SocketDuplex => ({ ...fake, abort: (reason) => aborted.push(reason) })
    const fake: SocketDuplex = {
      source: (async function* () {})(),
      sink: async () => {},
      abort: () => {}
    }
    const engine: Engine = {
      ...portable,
      listen: (_, { accept } = {}) => {
        for (let count = 0; count < 130; count++) accept?.(connection())
        return {
          listening: Promise.reject(error),
          close: () => {},
          [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) })
        }
      }
    }
    await expect(createServer({ engine, listen: endpoint }).listen()).rejects.toBe(error)
    expect(aborted).toHaveLength(130)
  })
})

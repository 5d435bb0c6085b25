import { dial } from '@it-socks/net'
import { parseAddress, type Address } from '@it-socks/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { receive, serve } from '../bind.ts'
import { run } from './proxy.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const proxy = async (): Promise<Address> => parseAddress((await run(serve)).replace('socks5h://', ''))

/** Has the proxy listen for `peer`: where it does, and what comes of it. */
const listening = async (peer: string) => {
  const at = await proxy()
  let received: Promise<string> | undefined
  const where = await new Promise<Address>((resolve, reject) => {
    received = receive(at, peer, resolve)
    received.catch(reject)
  })
  return { where, received: received! }
}

const say = async (where: Address, localAddress: string, text: string) => {
  const connection = await dial({ localAddress })(where)
  await connection.sink(
    (async function* () {
      yield new TextEncoder().encode(text)
    })()
  )
  return connection
}

describe('BIND', () => {
  it('receives what the peer sends', async () => {
    const { where, received } = await listening('127.0.0.1')
    expect(where.host).toBe('127.0.0.1')
    const text = 'x'.repeat(100_000)
    await say(where, '127.0.0.1', text)
    expect(await received).toBe(text)
  })

  it('expects the addresses of a name', async () => {
    const { where, received } = await listening('localhost')
    await say(where, '127.0.0.1', 'hello')
    expect(await received).toBe('hello')
  })

  it('resets a stranger, and still waits for the peer; then nothing listens any more', async () => {
    const { where, received } = await listening('127.0.0.1')
    const stranger = async (): Promise<unknown> => {
      const connection = await dial({ localAddress: '127.0.0.2' })(where)
      return connection.source[Symbol.asyncIterator]().next()
    }
    await expect(stranger()).rejects.toThrow('ECONNRESET')
    await say(where, '127.0.0.1', 'hello')
    expect(await received).toBe('hello')
    await expect(dial()(where)).rejects.toMatchObject({ reply: 'connection-refused' })
  })

  it('tells that the peer has no address', async () => {
    const nobody = `${'x'.repeat(64)}.invalid` // no label is that long, so nobody is asked
    const complaint = new Promise<unknown>((resolve) => {
      vi.spyOn(console, 'error').mockImplementation(resolve)
    })
    const received = receive(await proxy(), nobody, () => {})
    await expect(received).rejects.toMatchObject({ reply: 'host-unreachable' })
    expect(await complaint).toBe(`${nobody} cannot be resolved`)
  })
})

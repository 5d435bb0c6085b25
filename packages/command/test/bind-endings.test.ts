import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DeadlineError, RefusedError } from '@it-socks/protocol'
import { bind } from '@it-socks/command'
import { deadline, pipe, stage, type Binder, type Binding, type Tunnel } from '@it-socks/stage'
import { duplexPair, hex, memoryBinder } from '@it-socks/testing'
import { bindSteps, ending, promised, serveBind, waitingClient } from './binding.ts'

const peer = { host: '192.0.2.9', port: 20 }
const first = hex`05 00  05 00 00 01 c0000201 0fa0`
const both = hex`${first}  05 00 00 01 c0000209 0014`
const reset = expect.objectContaining({ message: 'the peer reset the connection' })

describe('while bind waits, nothing listens any more', () => {
  it('where the client half-closes, who is told', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const served = serveBind(client.near, bind(memory.binder))
    await client.told
    client.leave()
    await expect(served).rejects.toMatchObject({
      name: 'ClosedError',
      message: expect.stringMatching(/^the client left/)
    })
    expect(await client.heard()).toEqual(hex`${first}  05 01 00 01 00000000 0000`)
    expect(memory.listening()).toBe(0)
  })

  it('where the client resets', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const served = serveBind(client.near, bind(memory.binder))
    await client.told
    expect(memory.listening()).toBe(1)
    client.vanish()
    await expect(served).rejects.toEqual(reset)
    expect(memory.listening()).toBe(0)
  })

  it('where the signal aborts', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const owner = new AbortController()
    const served = serveBind(client.near, bind(memory.binder), { signal: owner.signal })
    await client.told
    owner.abort(new RefusedError('general-failure', { message: 'shutting down' }))
    await expect(served).rejects.toThrow('shutting down')
    expect(memory.listening()).toBe(0)
  })

  it('where the signal aborts, and the binder does not care', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const owner = new AbortController()
    const deaf: Binder = () => memory.binder()
    const served = serveBind(client.near, bind(deaf), { signal: owner.signal })
    await client.told
    owner.abort(new Error('shutting down'))
    await expect(served).rejects.toThrow('shutting down')
    expect(memory.listening()).toBe(0)
  })

  it('where the signal aborts before there is a socket, which comes all the same', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const owner = new AbortController()
    const opening = promised<void>()
    const opened = promised<Binding>()
    const slow: Binder = () => {
      opening.resolve()
      return opened.promise
    }
    const served = serveBind(client.near, bind(slow), { signal: owner.signal })
    await opening.promise
    owner.abort(new Error('shutting down'))
    await expect(served).rejects.toThrow('shutting down')
    opened.resolve(await memory.binder())
    await vi.waitFor(() => expect(memory.listening()).toBe(0))
  })

  it('where the socket is closed by others', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const opened = promised<Binding>()
    const shown: Binder = async (options) => {
      const binding = await memory.binder(options)
      opened.resolve(binding)
      return binding
    }
    const served = serveBind(client.near, bind(shown))
    await client.told
    const binding = await opened.promise
    binding.close()
    await expect(served).rejects.toMatchObject({
      name: 'ClosedError',
      message: expect.stringMatching(/^nobody listens/)
    })
    expect(await client.heard()).toEqual(hex`${first}  05 01 00 01 00000000 0000`)
  })

  it('where accepting fails', async () => {
    const close = vi.fn<() => void>()
    const failing: Binder = async () => ({
      address: { host: '192.0.2.1', port: 4000 },
      // oxlint-disable-next-line require-yield
      connections: (async function* (): AsyncGenerator<Tunnel> {
        throw new RefusedError('general-failure', { message: 'out of descriptors' })
      })(),
      close
    })
    const client = waitingClient()
    await expect(serveBind(client.near, bind(failing))).rejects.toThrow('out of descriptors')
    expect(close).toHaveBeenCalled()
  })

  it('and who connects too late is reset', async () => {
    const [tunnel, far] = duplexPair({ addresses: [{ host: '192.0.2.1', port: 4000 }, peer] })
    const accepted = promised<IteratorResult<Tunnel>>()
    const slow: Binder = async () => ({
      address: { host: '192.0.2.1', port: 4000 },
      connections: { [Symbol.asyncIterator]: () => ({ next: () => accepted.promise }) },
      close() {}
    })
    const client = waitingClient()
    const served = serveBind(client.near, bind(slow))
    await client.told
    client.leave()
    await expect(served).rejects.toThrow('the client left')
    accepted.resolve({ done: false, value: tunnel })
    expect(await ending(far)).toEqual(reset)
  })
})

describe('bind under a deadline', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('tells the client that nobody came in time', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const limited = deadline('waiting for a connection', 60_000, bind(memory.binder))
    const served = serveBind(client.near, limited).catch((error: unknown) => error)
    await client.told
    await vi.advanceTimersByTimeAsync(59_999)
    expect(memory.listening()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(memory.listening()).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(await served).toEqual(new DeadlineError('waiting for a connection', 60_000))
    expect(await client.heard()).toEqual(hex`${first}  05 06 00 01 00000000 0000`)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('has no more clock once the peer has come', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    void memory.connect(peer)
    const { context } = await serveBind(client.near, deadline('waiting', 60_000, bind(memory.binder)))
    expect(context.tunnel.remoteAddress).toEqual(peer)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a peer that was taken, and that nobody takes over, is reset', () => {
  it('where a later stage throws; the client, who has both replies, is not told again', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const connected = memory.connect(peer)
    const error = new RefusedError('not-allowed')
    const after = stage<unknown, {}>(async function* () {
      throw error
    })
    await expect(serveBind(client.near, bind(memory.binder), { after })).rejects.toBe(error)
    expect(await ending(await connected)).toEqual(reset)
    expect(await client.heard()).toEqual(both)
    expect(memory.listening()).toBe(0)
  })

  it('where the signal aborts while a later stage is at work', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const connected = memory.connect(peer)
    const owner = new AbortController()
    const after = stage<unknown, {}>(async function* () {
      owner.abort(new Error('shutting down'))
      await new Promise(() => {})
      return {}
    })
    const served = serveBind(client.near, bind(memory.binder), { after, signal: owner.signal })
    await expect(served).rejects.toThrow('shutting down')
    expect(await ending(await connected)).toEqual(reset)
  })

  it('where its reply cannot be written', async () => {
    const memory = memoryBinder()
    const client = waitingClient()
    const connected = memory.connect({ host: '192.0.2.9', port: 65_536 })
    await expect(serveBind(client.near, bind(memory.binder))).rejects.toMatchObject({ name: 'InvalidAddressError' })
    expect(await ending(await connected)).toEqual(reset)
    expect(await client.heard()).toEqual(hex`${first}  05 01 00 01 00000000 0000`)
  })
})

describe('a consumer that leaves the pipeline', () => {
  /** Takes so many of the stages' chunks, and leaves: the first is the method selection. */
  const take = async (count: number, memory = memoryBinder()) => {
    const client = waitingClient()
    const connected = memory.connect(peer)
    let left = count
    await pipe(client.near, ...bindSteps(client.near, bind(memory.binder)), async (steps) => {
      for await (const _ of steps) if (--left === 0) break
    })
    return { listening: memory.listening, connected: await connected }
  }

  it('at the first reply leaves no socket behind', async () => {
    const { listening, connected } = await take(2)
    await vi.waitFor(() => expect(listening()).toBe(0))
    expect(await ending(connected)).toEqual(reset)
  })

  it('at the second reply leaves neither a socket nor a tunnel behind', async () => {
    const { listening, connected } = await take(3)
    await vi.waitFor(() => expect(listening()).toBe(0))
    expect(await ending(connected)).toEqual(reset)
  })
})

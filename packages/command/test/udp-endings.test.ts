import { setImmediate as quiet } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { authenticate, none } from '@it-socks/auth'
import { command, request, udpAssociate } from '@it-socks/command'
import { ClosedError, IdleError, RefusedError } from '@it-socks/protocol'
import {
  frames,
  isHandoff,
  pipe,
  stage,
  type Bytes,
  type DatagramBinder,
  type DatagramSocket,
  type Tunnel
} from '@it-socks/stage'
import { duplexPair, hex, memoryDatagrams } from '@it-socks/testing'
import { associate, unresolving } from './udp-setup.ts'

const nine = hex`0000 00 01 c6336409 0035`
const six = hex`0000 00 04 20010db8000000000000000000000009 0035`

afterEach(() => {
  vi.useRealTimers()
})

/** An association with all that it can have: a further socket, a fragment that waits, a name that is looked up. */
const busy = async (options: Parameters<typeof associate>[0] = {}) => {
  const lookups: AbortSignal[] = []
  const association = await associate({
    resolve: (_, { signal } = {}) => {
      lookups.push(signal!)
      return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
    },
    ...options
  })
  const { network, client, bound } = association
  const [target, far] = [network.bind('198.51.100.9', 53), network.bind('2001:db8::9', 53)]
  client.send(hex`0000 00 03 0b ${'dns.example'} 0035`, bound)
  client.send(hex`${six} ${'question'}`, bound)
  client.send(hex`${nine} ${'question'}`, bound)
  client.send(hex`0000 01 01 c6336409 0035 ${'a'}`, bound)
  const [{ from }] = [await far.receive(), await target.receive()]
  await quiet()
  expect(network.open().length).toBe(2)
  expect(lookups.map(({ aborted }) => aborted)).toEqual([false])

  /** Nothing is left of it, and nothing is sent any more, in either direction. */
  const isOver = async (): Promise<void> => {
    expect(network.open()).toEqual([])
    expect(lookups.map(({ aborted }) => aborted)).toEqual([true])
    client.send(hex`${nine} ${'too late'}`, bound)
    target.send(hex`${'too late'}`, bound)
    far.send(hex`${'too late'}`, from)
    await quiet()
    expect([target.inbox, far.inbox, client.inbox]).toEqual([[], [], []])
    expect(association.dropped()).toEqual({})
  }
  return { ...association, isOver }
}

describe('an association ends', () => {
  it('with the client’s connection', async () => {
    const { leave, ended, isOver } = await busy()
    leave()
    expect(await ended).toBe('closed')
    await isOver()
  })

  it('where the client resets it', async () => {
    const { reset, ended, isOver } = await busy()
    reset()
    expect(await ended).toMatchObject({ message: 'the peer reset the connection' })
    await isOver()
  })

  it('where the signal aborts', async () => {
    const owner = new AbortController()
    const { ended, isOver } = await busy({ signal: owner.signal })
    const reason = new Error('shutting down')
    owner.abort(reason)
    expect(await ended).toBe(reason)
    await isOver()
  })

  it('where the tunnel is aborted', async () => {
    const { tunnel, ended, isOver } = await busy()
    const reason = new Error('enough')
    tunnel.abort?.(reason)
    expect(await ended).toBe(reason)
    await isOver()
  })

  it('where it is idle for too long; datagrams, both ways, keep it open', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { network, client, bound, ended } = await associate({ idle: 1000 })
    const target = network.bind('198.51.100.9', 53)
    await vi.advanceTimersByTimeAsync(0)
    for (let turn = 0; turn < 3; turn++) {
      await vi.advanceTimersByTimeAsync(900)
      client.send(hex`${nine} ${'question'}`, bound)
      await target.receive()
      await vi.advanceTimersByTimeAsync(900)
      target.send(hex`${'answer'}`, bound)
      await client.receive()
    }
    expect(network.open()).toEqual([bound])
    await vi.advanceTimersByTimeAsync(1000)
    expect(await ended).toBeInstanceOf(IdleError)
    expect(network.open()).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not last for what is dropped', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { client, bound, ended } = await associate({ idle: 1000 })
    await vi.advanceTimersByTimeAsync(900)
    client.send(hex`${'no header'}`, bound)
    await vi.advanceTimersByTimeAsync(100)
    expect(await ended).toBeInstanceOf(IdleError)
  })

  it('does not end for bytes on the client’s connection, which are read away', async () => {
    const [near, far] = duplexPair()
    const network = memoryDatagrams()
    const tunnel = await openTunnel(network.binder, near.source)
    let leave!: () => void
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    const chatter = async function* (): AsyncGenerator<Bytes, void> {
      for (let turn = 0; turn < 100; turn++) yield new Uint8Array(1000)
      expect(network.open().length).toBe(1)
      await left
    }
    const sunk = tunnel.sink(chatter())
    leave()
    await sunk
    for await (const bytes of tunnel.source) throw new Error(`the tunnel said ${bytes.byteLength} bytes`)
    far.abort(new Error('over'))
    await expect(tunnel.sink(chatter()), 'a sink that comes too late').rejects.toBeInstanceOf(ClosedError)
  })

  it('where what it is to read fails', async () => {
    const network = memoryDatagrams()
    const tunnel = await openTunnel(network.binder, duplexPair()[0].source)
    const error = new Error('broken')
    const breaking = async function* (): AsyncGenerator<Bytes, void> {
      yield hex`00`
      throw error
    }
    await expect(tunnel.sink(breaking())).rejects.toBe(error)
    await expect(tunnel.source[Symbol.asyncIterator]().next()).rejects.toBe(error)
    expect(network.open()).toEqual([])
  })

  it('where nobody reads it any more', async () => {
    const network = memoryDatagrams()
    const tunnel = await openTunnel(network.binder, duplexPair()[0].source)
    const reader = tunnel.source[Symbol.asyncIterator]()
    const waiting = reader.next()
    await reader.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(network.open()).toEqual([])
  })
})

const asking = hex`05 01 00  05 03 00 01 00000000 0000`

const steps = (binder: DatagramBinder, source: AsyncIterable<Bytes>, signal?: AbortSignal) =>
  pipe(
    source,
    frames({ context: { connection: {} }, ...(signal !== undefined && { signal }) }),
    authenticate([none()]),
    request(),
    command({ udpAssociate: udpAssociate(binder, { resolve: unresolving }) })
  )

const asked = async function* (): AsyncGenerator<Bytes, void> {
  yield asking
}

/** What the command hands over, without a relay. */
const openTunnel = async (binder: DatagramBinder, rest: AsyncIterable<Bytes>): Promise<Tunnel> => {
  const source = async function* (): AsyncGenerator<Bytes, void> {
    yield asking
    yield* rest
  }
  for await (const step of steps(binder, source())) if (isHandoff(step)) return step.context.tunnel
  throw new Error('no tunnel')
}

describe('an association that nobody takes is closed', () => {
  it('where a later stage fails', async () => {
    const error = new RefusedError('not-allowed')
    const network = memoryDatagrams()
    const failing = stage<unknown, {}>(async function* () {
      throw error
    })
    const all = async (): Promise<void> => {
      for await (const _ of failing(steps(network.binder, asked())));
    }
    await expect(all()).rejects.toBe(error)
    expect(network.open()).toEqual([])
  })

  it('where the consumer leaves at the reply', async () => {
    const network = memoryDatagrams()
    let replies = 0
    for await (const step of steps(network.binder, asked())) {
      if (isHandoff(step)) throw new Error('nobody was to come so far')
      if (++replies === 2) break
    }
    await quiet()
    expect(network.open()).toEqual([])
  })

  it('where the signal aborts while the socket opens, and the binder does not care', async () => {
    const owner = new AbortController()
    const network = memoryDatagrams()
    let open!: (socket: DatagramSocket) => void
    const deaf: DatagramBinder = () => {
      owner.abort(new Error('shutting down'))
      return new Promise((resolve) => {
        open = resolve
      })
    }
    const all = async (): Promise<void> => {
      for await (const _ of steps(deaf, asked(), owner.signal));
    }
    await expect(all()).rejects.toThrow('shutting down')
    open(await network.binder({ host: '192.0.2.1', received: () => {} }))
    expect(network.open().length).toBe(1)
    await quiet()
    expect(network.open()).toEqual([])
  })
})

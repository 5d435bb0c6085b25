import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { SocketDuplex } from '@it-socks/net'
import { transportOf, type Flow, type Transport } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { all, connected, failureOf, hear, iterate, say, socketPath, standstill, type Connected } from './setup.ts'
import { ways } from './ways.ts'

type Side = 'client' | 'target'

const sides = ['client', 'target'] as const

const transport = (duplex: SocketDuplex): Transport => transportOf(duplex)!

/** A flow that keeps what it is told, and fails the test where it is told of a second end. */
const recorded = () => {
  const traffic = { up: 0, down: 0 }
  let resolve!: (outcome: unknown) => void
  const outcome = new Promise((follow) => {
    resolve = follow
  })
  const state = { over: false }
  const end = (what: unknown): void => {
    expect(state.over).toBe(false)
    state.over = true
    resolve(what)
  }
  const flow: Flow = {
    passed(direction, length) {
      expect(state.over).toBe(false)
      traffic[direction] += length
    },
    ended: () => end(traffic),
    failed: end
  }
  return { flow, traffic, state, outcome }
}

interface Relayed extends ReturnType<typeof recorded> {
  readonly client: Connected
  readonly target: Connected
}

const reset = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => {
    socket.resume().once('error', resolve)
  })

const closing = ({ socket }: Connected): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve())
  })

/** More than sockets and their peers hold, none like its neighbour. */
const much = Uint8Array.from({ length: 24_000_000 }, (_, index) => index ^ (index >> 8))

describe.each(ways)('two sockets that are joined, %s', (_, prepare) => {
  const pair = async (unix = false) => {
    const connect = async (): Promise<Connected> => connected(unix ? await socketPath() : undefined, prepare)
    const [client, target] = await Promise.all([connect(), connect()])
    return { client, target, ...recorded() }
  }

  const join = ({ client, target, flow }: Relayed): boolean => transport(client.ours).join(transport(target.ours), flow)

  const relay = async (unix = false): Promise<Relayed> => {
    const relayed = await pair(unix)
    expect(join(relayed)).toBe(true)
    return relayed
  }

  /** The peers of a relay's ends: that of this side, and the other. */
  const peers = (side: Side, { client, target }: Relayed): [Socket, Socket] =>
    side === 'client' ? [client.peer, target.peer] : [target.peer, client.peer]

  it.each(['TCP', 'unix'])('pass on what each says, and count it: %s', async (kind) => {
    const relayed = await relay(kind === 'unix')
    const { client, target, outcome } = relayed
    const closed = Promise.all([closing(client), closing(target)])
    const [question, answer] = [hear(target.peer), hear(client.peer)]
    client.peer.write('question')
    target.peer.write('the ')
    client.peer.end('s')
    expect(await question).toBe('questions')
    target.peer.end('answer')
    expect(await answer).toBe('the answer')
    expect(await outcome).toEqual({ up: 9, down: 10 })
    await closed
  })

  it.each(sides)('go on one way long after the %s has closed its half', async (side) => {
    const relayed = await relay()
    const [first, second] = peers(side, relayed)
    const ended = once(second.resume(), 'end')
    first.end()
    await ended
    const heard = hear(first)
    for (let said = 0; said < 100; said++) {
      second.write(`${said} `)
      await turn()
    }
    expect(relayed.state.over).toBe(false)
    second.end()
    expect(await heard).toBe(Array.from({ length: 100 }, (_, said) => `${said} `).join(''))
    expect(await relayed.outcome).toEqual(side === 'client' ? { up: 0, down: 290 } : { up: 290, down: 0 })
  })

  it.each(sides)('fail with the reset of the %s; whoever hears of it aborts both', async (side) => {
    const relayed = await relay()
    const [first, second] = peers(side, relayed)
    const broken = reset(second)
    first.resetAndDestroy()
    const error = await relayed.outcome
    expect(error).toMatchObject({ code: 'ECONNRESET' })
    relayed.client.ours.abort(error)
    relayed.target.ours.abort(error)
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
  })

  it.each(sides)(
    'fail with the name that the system gives it where the %s has gone and there is more',
    async (side) => {
      const relayed = await relay()
      const [first, second] = peers(side, relayed)
      const ended = once(second.resume(), 'end')
      first.resume().end()
      await ended
      first.resetAndDestroy()
      while (!relayed.state.over) {
        second.write('are you there?', () => {})
        await turn()
      }
      expect(await relayed.outcome).toMatchObject({ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) })
    }
  )

  it.each(sides)('end by the abort of the %s’s duplex', async (side) => {
    const relayed = await relay()
    const reason = new Error('enough')
    const broken = reset(relayed[side].peer)
    relayed[side].ours.abort(reason)
    expect(await relayed.outcome).toBe(reason)
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
  })

  it('end by the abort of both, at any time, and tell of it once', async () => {
    const relayed = await relay()
    relayed.client.peer.pause()
    relayed.target.peer.write(much)
    await standstill(() => relayed.traffic.down)
    const reason = new Error('enough')
    const closed = Promise.all([closing(relayed.client), closing(relayed.target)])
    relayed.client.ours.abort(reason)
    relayed.target.ours.abort(reason)
    relayed.target.ours.abort(new Error('and again'))
    await closed
    expect(await relayed.outcome).toBe(reason)
    expect(relayed.client.socket.listenerCount('drain')).toBe(0)
  })

  it.each(sides)('stop who writes where the %s does not read, hold little, and lose nothing', async (side) => {
    const relayed = await relay()
    const [reader, writer] = peers(side, relayed)
    const { ours, socket } = relayed[side]
    reader.pause()
    writer.end(much)
    const direction = side === 'client' ? 'down' : 'up'
    const stalled = await standstill(() => relayed.traffic[direction])
    expect(stalled).toBeLessThan(much.length)
    expect(transport(ours).waiting).toBeGreaterThan(0)
    expect(socket.writableLength).toBeLessThanOrEqual(256 * 1024)

    // The other direction flows on.
    const echoed = once(writer, 'data')
    reader.write('wait for me')
    expect(String((await echoed)[0])).toBe('wait for me')

    const heard: Uint8Array[] = []
    reader.on('data', (chunk) => heard.push(chunk)).resume()
    await once(reader, 'end')
    expect(Buffer.concat(heard).equals(much)).toBe(true)
    reader.end()
    const length = much.length
    expect(await relayed.outcome).toEqual(side === 'client' ? { up: 11, down: length } : { up: length, down: 11 })
  })

  it('carry much both ways at once, to readers that stop again and again', async () => {
    const relayed = await relay()
    const some = much.subarray(0, 4_000_000)
    const slowly = async (socket: Socket): Promise<Buffer> => {
      const heard: Uint8Array[] = []
      socket.on('data', (chunk) => {
        heard.push(chunk)
        socket.pause()
        setImmediate(() => socket.resume())
      })
      await once(socket, 'end')
      return Buffer.concat(heard)
    }
    const heard = Promise.all([slowly(relayed.client.peer), slowly(relayed.target.peer)])
    relayed.client.peer.end(some)
    relayed.target.peer.end(some)
    expect((await heard).map((bytes) => bytes.equals(some))).toEqual([true, true])
    expect(await relayed.outcome).toEqual({ up: some.length, down: some.length })
  })

  it('begin with what was not consumed, and what came before anybody read', async () => {
    const relayed = await pair()
    const { client, target, outcome } = relayed
    client.peer.write('question')
    const { value } = await iterate(client.ours).next()
    transport(client.ours).unread((value as Uint8Array).subarray(5))
    client.peer.end('s')
    target.peer.end('answer')
    await standstill(() => target.socket.bytesRead)
    const heard = Promise.all([hear(target.peer), hear(client.peer)])
    expect(join(relayed)).toBe(true)
    expect(await heard).toEqual(['ions', 'answer'])
    expect(await outcome).toEqual({ up: 4, down: 6 })
  })

  it('have what was unread wait for its turn where the other is full', async () => {
    const relayed = await pair()
    const { client, target, outcome } = relayed
    transport(client.ours).unread(hex`${'the end'}`)
    transport(client.ours).unread(much)
    client.peer.end(' and more')
    target.peer.pause()
    expect(join(relayed)).toBe(true)
    await standstill(() => target.peer.bytesRead)
    const heard: Uint8Array[] = []
    target.peer.on('data', (chunk) => heard.push(chunk)).resume()
    await once(target.peer, 'end')
    expect(Buffer.concat(heard).equals(Buffer.concat([much, hex`${'the end and more'}`]))).toBe(true)
    target.peer.end()
    expect(await outcome).toMatchObject({ down: 0 })
  })

  it('say what was written before first', async () => {
    const relayed = await pair()
    const { client, target } = relayed
    client.peer.pause()
    transport(client.ours).write(much)
    target.peer.end('the answer')
    expect(join(relayed)).toBe(true)
    await standstill(() => client.peer.bytesRead)
    const heard: Uint8Array[] = []
    client.peer.on('data', (chunk) => heard.push(chunk)).resume()
    await once(client.peer, 'end')
    expect(Buffer.concat(heard).equals(Buffer.concat([much, hex`${'the answer'}`]))).toBe(true)
    client.peer.end()
    expect(await relayed.outcome).toEqual({ up: 0, down: 10 })
  })

  it('pass on an end that was read before', async () => {
    const relayed = await pair()
    const { client, target, outcome } = relayed
    client.peer.end('all I have to say')
    const reader = iterate(client.ours)
    const { value } = await reader.next()
    await reader.next()
    transport(client.ours).unread(value as Uint8Array)
    const heard = hear(target.peer)
    expect(join(relayed)).toBe(true)
    expect(await heard).toBe('all I have to say')
    target.peer.end()
    expect(await outcome).toEqual({ up: 17, down: 0 })
  })

  it.each(sides)('fail, but not before they are joined, where the %s was closed before', async (side) => {
    const relayed = await pair()
    const reason = new Error('enough')
    const closed = closing(relayed[side])
    relayed[side].ours.abort(reason)
    await closed
    expect(join(relayed)).toBe(true)
    expect(relayed.state.over).toBe(false)
    expect(await relayed.outcome).toBe(reason)
  })

  it.each(sides)('fail where the %s is being closed', async (side) => {
    const relayed = await pair()
    const reason = new Error('enough')
    relayed[side].ours.abort(reason)
    expect(join(relayed)).toBe(true)
    expect(relayed.state.over).toBe(false)
    expect(await relayed.outcome).toBe(reason)
  })

  it('keep no listener that they did not have before', async () => {
    const relayed = await pair()
    const { socket } = relayed.client
    const before = socket.eventNames().map((name) => [name, socket.listenerCount(name)])
    expect(join(relayed)).toBe(true)
    expect(socket.eventNames().map((name) => [name, socket.listenerCount(name)])).toEqual(before)
  })
})

describe('what does not join', () => {
  const occupied: ReadonlyArray<readonly [string, (ours: SocketDuplex) => void]> = [
    ['that somebody reads', (ours) => void failureOf(iterate(ours).next())],
    ['whose source was returned', (ours) => void iterate(ours).return?.()],
    ['whose sink was called', (ours) => void failureOf(ours.sink(say()))]
  ]

  it.each(sides.flatMap((side) => occupied.map(([how, occupy]) => [side, how, occupy] as const)))(
    'a %s %s',
    async (side, _, occupy) => {
      const both = { client: await connected(), target: await connected() }
      const { flow } = recorded()
      occupy(both[side].ours)
      expect(transport(both.client.ours).join(transport(both.target.ours), flow)).toBe(false)
    }
  )

  it('a socket with itself, with one that is joined, or with what is none', async () => {
    const [one, other, third] = await Promise.all([connected(), connected(), connected()])
    const { flow } = recorded()
    const [first, second, last] = [one, other, third].map(({ ours }) => transport(ours)) as [
      Transport,
      Transport,
      Transport
    ]
    expect(first.join(first, flow)).toBe(false)
    expect(first.join({ duplex: other.ours } as unknown as Transport, flow)).toBe(false)
    expect(first.join(second, flow)).toBe(true)
    expect(last.join(first, flow)).toBe(false)
    expect(second.join(last, flow)).toBe(false)
  })

  it('goes on by its iterators', async () => {
    const [one, other] = await Promise.all([connected(), connected()])
    const tls = { duplex: other.ours } as unknown as Transport
    const joined = transport(one.ours).join(tls, recorded().flow)
    expect(joined).toBe(false)
    one.peer.end('as ever')
    expect((await all(one.ours.source)).toString()).toBe('as ever')
  })
})

it('a socket that breaks after its relay has ended is nobody’s concern', async () => {
  const [client, target] = await Promise.all([connected(), connected()])
  const { flow, outcome } = recorded()
  transport(client.ours).join(transport(target.ours), flow)
  client.peer.resume().end()
  target.peer.resume().end()
  await outcome
  const late = vi.fn<(error: unknown) => void>()
  process.on('uncaughtException', late)
  onTestFinished(() => void process.off('uncaughtException', late))
  client.socket.emit('error', new Error('late'))
  client.ours.abort(new Error('late, too'))
  expect(late).not.toHaveBeenCalled()
})

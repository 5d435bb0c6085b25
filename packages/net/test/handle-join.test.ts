import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { SocketDuplex } from '@it-socks/net'
import { transportOf, type Flow, type Transport } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { descriptorTransport } from '../../../test/support/connected.ts'
import { all, failureOf, iterate, say } from '../../../test/support/duplex.ts'
import { countClosed, standstill, uncaughtErrors, until } from '../../../test/support/process.ts'
import { hearText, socketPath } from '../../../test/support/sockets.ts'
import { connected, opened, ways, type Opened } from './setup.ts'

type Side = 'client' | 'target'

const sides = ['client', 'target'] as const

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
  readonly client: Opened
  readonly target: Opened
}

const reset = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => {
    socket.resume().once('error', resolve)
  })

/** More than sockets and their peers hold, none like its neighbour. */
const much = Uint8Array.from({ length: 24_000_000 }, (_, index) => index ^ (index >> 8))

describe.each(ways)('two handles that are joined, %s', (_, prepare) => {
  const pair = async (unix = false) => {
    const open = async (): Promise<Opened> => opened(unix ? await socketPath() : undefined, prepare)
    const [client, target] = await Promise.all([open(), open()])
    return { client, target, ...recorded() }
  }

  const join = ({ client, target, flow }: Relayed): boolean => client.at.join(target.at, flow)

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
    const closed = await countClosed()
    const [question, answer] = [hearText(target.peer), hearText(client.peer)]
    client.peer.write('question')
    target.peer.write('the ')
    client.peer.end('s')
    expect(await question).toBe('questions')
    target.peer.end('answer')
    expect(await answer).toBe('the answer')
    expect(await outcome).toEqual({ up: 9, down: 10 })
    expect([client.at.descriptor, target.at.descriptor]).toEqual([undefined, undefined])
    await closed(4)
  })

  it.each(sides)('go on one way long after the %s has closed its half', async (side) => {
    const relayed = await relay()
    const [first, second] = peers(side, relayed)
    const ended = once(second.resume(), 'end')
    first.end()
    await ended
    const heard = hearText(first)
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
    const closed = await countClosed()
    relayed.client.ours.abort(reason)
    relayed.target.ours.abort(reason)
    relayed.target.ours.abort(new Error('and again'))
    expect(await relayed.outcome).toBe(reason)
    for (const { peer } of [relayed.client, relayed.target]) peer.destroy()
    await closed(4)
  })

  it.each(sides)('stop who writes where the %s does not read, hold little, and lose nothing', async (side) => {
    const relayed = await relay()
    const [reader, writer] = peers(side, relayed)
    const { at } = relayed[side]
    reader.pause()
    writer.end(much)
    const direction = side === 'client' ? 'down' : 'up'
    const stalled = await standstill(() => relayed.traffic[direction])
    expect(stalled).toBeLessThan(much.length)
    expect(at.waiting).toBeGreaterThan(0)
    expect(at.waiting).toBeLessThanOrEqual(512 * 1024)

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
    // Whoever has read once is read once more: this is kept.
    client.peer.end('s')
    target.peer.end('answer')
    await standstill(() => client.peer.bytesWritten + target.peer.bytesWritten)
    client.at.unread((value as Uint8Array).subarray(5))
    const heard = Promise.all([hearText(target.peer), hearText(client.peer)])
    expect(join(relayed)).toBe(true)
    expect(await heard).toEqual(['ions', 'answer'])
    expect(await outcome).toEqual({ up: 4, down: 6 })
  })

  it.each([
    ['more', ' and more'],
    ['the end', '']
  ])('have what was unread wait for its turn where the other is full, and %s behind it', async (_, more) => {
    const relayed = await pair()
    const { client, target, outcome } = relayed
    // Whoever has read once is still being read: what comes is behind what was unread.
    client.peer.write('at last')
    await iterate(client.ours).next()
    client.at.unread(hex`${'the end'}`)
    client.at.unread(much)
    client.peer.end(more)
    target.peer.pause()
    expect(join(relayed)).toBe(true)
    await standstill(() => target.peer.bytesRead)
    const heard: Uint8Array[] = []
    target.peer.on('data', (chunk) => heard.push(chunk)).resume()
    await once(target.peer, 'end')
    expect(Buffer.concat(heard).equals(Buffer.concat([much, hex`${`the end${more}`}`]))).toBe(true)
    target.peer.end()
    expect(await outcome).toMatchObject({ down: 0 })
  })

  it('say what was written before first', async () => {
    const relayed = await pair()
    const { client, target } = relayed
    client.peer.pause()
    client.at.write(much)
    target.peer.end('the answer')
    expect(join(relayed)).toBe(true)
    await standstill(() => client.peer.bytesRead)
    expect(relayed.traffic.down).toBe(0)
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
    client.at.unread(value as Uint8Array)
    const heard = hearText(target.peer)
    expect(join(relayed)).toBe(true)
    expect(await heard).toBe('all I have to say')
    target.peer.end()
    expect(await outcome).toEqual({ up: 17, down: 0 })
  })

  it('end at once where both ends were read before, and nothing was left to say', async () => {
    const relayed = await pair()
    const { client, target, outcome } = relayed
    client.peer.resume().end()
    target.peer.resume().end()
    await Promise.all([all(client.ours.source), all(target.ours.source)])
    const closed = await countClosed()
    expect(join(relayed)).toBe(true)
    expect(await outcome).toEqual({ up: 0, down: 0 })
    await closed(4)
  })

  it('say all that was read before both had ended, on each side', async () => {
    const relayed = await pair()
    const { client, target, outcome } = relayed
    for (const { ours, peer, at } of [client, target]) {
      peer.end('as I said')
      const said = await all(ours.source)
      at.unread(much)
      at.unread(said)
    }
    const heard = Promise.all([hearText(client.peer), hearText(target.peer)])
    expect(join(relayed)).toBe(true)
    const expected = Buffer.concat([hex`${'as I said'}`, much]).toString()
    expect((await heard).map((text) => text === expected)).toEqual([true, true])
    expect(await outcome).toEqual({ up: much.length + 9, down: much.length + 9 })
  })

  it('close what they have said to, and read what is still on its way there first', async () => {
    const relayed = await relay()
    const { client, target } = relayed
    target.peer.pause()
    client.peer.end(much)
    await standstill(() => relayed.traffic.up)
    expect(target.at.waiting).toBeGreaterThan(0)
    // Its own end is known long before all that it is to hearText has left.
    target.peer.end('enough')
    expect(await hearText(client.peer)).toBe('enough')
    expect(relayed.state.over).toBe(false)
    const heard: Uint8Array[] = []
    target.peer.on('data', (chunk) => heard.push(chunk)).resume()
    await once(target.peer, 'end')
    expect(Buffer.concat(heard).equals(much)).toBe(true)
    expect(await relayed.outcome).toEqual({ up: much.length, down: 6 })
  })
})

describe('what does not join', () => {
  const occupied: ReadonlyArray<readonly [string, (ours: SocketDuplex) => unknown]> = [
    ['that somebody reads', (ours) => void failureOf(iterate(ours).next())],
    ['whose source was returned', (ours) => void iterate(ours).return?.()],
    ['whose sink was called', (ours) => void failureOf(ours.sink(say()))],
    ['that was aborted', (ours) => ours.abort(new Error('enough'))],
    ['that is detached', (ours) => descriptorTransport(ours).detach(() => {})]
  ]

  it.each(sides.flatMap((side) => occupied.map(([how, occupy]) => [side, how, occupy] as const)))(
    'a %s %s: nothing has happened then',
    async (side, _, occupy) => {
      const both = { client: await opened(), target: await opened() }
      const { flow, traffic, state } = recorded()
      const other = both[side === 'client' ? 'target' : 'client']
      other.at.unread(hex`${'first, '}`)
      occupy(both[side].ours)
      expect(both.client.at.join(both.target.at, flow)).toBe(false)
      other.peer.end('last')
      expect((await all(other.ours.source)).toString()).toBe('first, last')
      expect([traffic, state.over]).toEqual([{ up: 0, down: 0 }, false])
    }
  )

  it.each(sides)('a %s whose peer has reset it, once that is known', async (side) => {
    const both = { client: await opened(), target: await opened() }
    const reading = failureOf(iterate(both[side].ours).next())
    both[side].peer.resetAndDestroy()
    expect(await reading).toMatchObject({ code: 'ECONNRESET' })
    expect(both.client.at.join(both.target.at, recorded().flow)).toBe(false)
  })

  it.each(sides)('a %s that has just been found broken, though nobody was told yet', async (side) => {
    const both = { client: await opened(), target: await opened() }
    const { at, peer } = both[side]
    const gone = once(peer, 'close')
    peer.resetAndDestroy()
    await gone
    const broken = new Promise((resolve) => at.broken(resolve))
    at.write(hex`${'anybody there?'}`)
    expect(both.client.at.join(both.target.at, recorded().flow)).toBe(false)
    expect(await broken).toMatchObject({ syscall: 'write' })
  })

  it('a handle with itself, with one that is joined, or with what is none', async () => {
    const [one, other, third] = await Promise.all([opened(), opened(), opened()])
    const { flow } = recorded()
    expect(one.at.join(one.at, flow)).toBe(false)
    expect(one.at.join({ duplex: other.ours } as unknown as Transport, flow)).toBe(false)
    expect(one.at.join(other.at, flow)).toBe(true)
    expect(third.at.join(one.at, flow)).toBe(false)
    expect(other.at.join(third.at, flow)).toBe(false)
  })

  it('goes on by its iterators', async () => {
    const [one, other] = await Promise.all([opened(), connected()])
    expect(transportOf(other.ours)).toBeUndefined()
    const tls = { duplex: other.ours } as unknown as Transport
    expect(one.at.join(tls, recorded().flow)).toBe(false)
    one.peer.end('as ever')
    expect((await all(one.ours.source)).toString()).toBe('as ever')
  })
})

it.each(sides)('an abort of the %s after the relay has ended is nobody’s concern', async (side) => {
  const both = { client: await opened(), target: await opened() }
  const { flow, outcome } = recorded()
  both.client.at.join(both.target.at, flow)
  both.client.peer.resume().end()
  both.target.peer.resume().end()
  expect(await outcome).toEqual({ up: 0, down: 0 })
  expect(() => both[side].ours.abort(new Error('late'))).not.toThrow()
})

describe('a flow', () => {
  /** A relay whose flow does this of the first bytes, in place of counting them. */
  const relayed = async (passed: (both: { client: Opened; target: Opened }) => void) => {
    const [client, target] = await Promise.all([opened(), opened()])
    const { flow, outcome } = recorded()
    const first = vi.fn<Flow['passed']>().mockImplementationOnce(() => passed({ client, target }))
    expect(client.at.join(target.at, { ...flow, passed: first })).toBe(true)
    return { client, target, outcome, first }
  }

  it.each(sides)('may abort the %s as soon as it hears of bytes: they go nowhere', async (side) => {
    const reason = new Error('enough')
    const { client, target, outcome } = await relayed((both) => both[side].ours.abort(reason))
    const heard = vi.fn<(bytes: Uint8Array) => void>()
    target.peer.on('data', heard)
    const closed = await countClosed()
    client.peer.write('too much')
    expect(await outcome).toBe(reason)
    client.ours.abort(reason)
    target.ours.abort(reason)
    await standstill(() => target.peer.bytesRead)
    for (const { peer } of [client, target]) peer.destroy()
    await closed(4)
    expect(heard).not.toHaveBeenCalled()
  })

  it('may abort of what was read before they were joined, too', async () => {
    const reason = new Error('enough')
    const [client, target] = await Promise.all([opened(), opened()])
    const { flow, outcome } = recorded()
    client.at.unread(hex`${'too'}`)
    client.at.unread(hex`${'much'}`)
    const passed = vi.fn<Flow['passed']>(() => client.ours.abort(reason))
    expect(client.at.join(target.at, { ...flow, passed })).toBe(true)
    expect(await outcome).toBe(reason)
    expect(passed).toHaveBeenCalledOnce()
  })

  it('that throws has thrown out of the event loop; the other relays go on', async () => {
    const error = new Error('a bug of somebody’s')
    const other = await relayed(() => {})
    const heard = hearText(other.target.peer)
    const thrown = uncaughtErrors()
    const { client, target, outcome } = await relayed(() => {
      throw error
    })
    client.peer.write('hello')
    await until(() => thrown.length > 0)
    expect(thrown).toEqual([error])
    other.client.peer.end('we go on')
    expect(await heard).toBe('we go on')
    // Nor does it hang: whoever ends it is heard.
    client.ours.abort(error)
    expect(await outcome).toBe(error)
    expect(await failureOf(iterate(client.ours).next())).toBe(error)
    target.ours.abort(error)
  })
})

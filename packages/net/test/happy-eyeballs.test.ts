import { getEventListeners } from 'node:events'
import { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectFirst, interleave } from '../src/happy-eyeballs.ts'
import { failureOf } from './setup.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('interleave', () => {
  it.each([
    { given: [], tried: [] },
    { given: ['192.0.2.1'], tried: ['192.0.2.1'] },
    { given: ['::1', '::2', '192.0.2.1', '192.0.2.2'], tried: ['::1', '192.0.2.1', '::2', '192.0.2.2'] },
    { given: ['192.0.2.1', '192.0.2.2', '::1'], tried: ['192.0.2.1', '::1', '192.0.2.2'] },
    { given: ['::1', '192.0.2.1', '192.0.2.2', '192.0.2.3'], tried: ['::1', '192.0.2.1', '192.0.2.2', '192.0.2.3'] },
    { given: ['::1', '::2', '::3', '192.0.2.1'], tried: ['::1', '192.0.2.1', '::2', '::3'] },
    { given: ['192.0.2.2', '192.0.2.1'], tried: ['192.0.2.2', '192.0.2.1'] }
  ])('takes the families of $given in turns, the first one’s first (RFC 8305 section 4)', ({ given, tried }) => {
    expect(interleave(given)).toEqual(tried)
  })
})

/** Attempts whose outcome the test decides: sockets that never connect by themselves. */
const attempts = (...addresses: string[]) => {
  const owner = new AbortController()
  const tried: string[] = []
  const sockets: Record<string, Socket> = {}
  const winner = connectFirst(
    addresses,
    (address) => {
      tried.push(address)
      return (sockets[address] = new Socket())
    },
    { attemptDelay: 250, signal: owner.signal }
  )
  const settled = vi.fn<(outcome: unknown) => void>()
  void winner.then(settled, settled)
  const destroyed = (): string[] => tried.filter((address) => sockets[address]?.destroyed === true)
  const left = (): number => vi.getTimerCount() + getEventListeners(owner.signal, 'abort').length
  return { owner, tried, winner, settled, destroyed, left, socket: (address: string) => sockets[address]! }
}

const [one, two, three] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const

describe('connectFirst', () => {
  it('tries the first address alone, for as long as the delay', async () => {
    const { tried, winner, socket, left } = attempts(one, two)
    await vi.advanceTimersByTimeAsync(249)
    expect(tried).toEqual([one])
    socket(one).emit('connect')
    expect(await winner).toBe(socket(one))
    expect(socket(one).destroyed).toBe(false)
    expect(left()).toBe(0)
  })

  it('tries the next when one takes longer than the delay; the first to connect wins, the others go', async () => {
    const { tried, winner, socket, destroyed, left } = attempts(one, two, three)
    await vi.advanceTimersByTimeAsync(250)
    expect(tried).toEqual([one, two])
    await vi.advanceTimersByTimeAsync(250)
    expect(tried).toEqual([one, two, three])
    socket(two).emit('connect')
    expect(await winner).toBe(socket(two))
    expect(destroyed()).toEqual([one, three])
    expect(left()).toBe(0)
  })

  it('tries the next at once when one fails, and gives that its full delay', async () => {
    const { tried, socket, owner, winner } = attempts(one, two, three)
    await vi.advanceTimersByTimeAsync(200)
    socket(one).emit('error', new Error('refused'))
    expect(tried).toEqual([one, two])
    await vi.advanceTimersByTimeAsync(249)
    expect(tried).toEqual([one, two])
    await vi.advanceTimersByTimeAsync(1)
    expect(tried).toEqual([one, two, three])
    owner.abort()
    await failureOf(winner)
  })

  it('waits for those under way when there is no other to try', async () => {
    const { winner, settled, socket, left } = attempts(one, two)
    await vi.advanceTimersByTimeAsync(250)
    socket(two).emit('error', new Error('refused'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(settled).not.toHaveBeenCalled()
    socket(one).emit('connect')
    expect(await winner).toBe(socket(one))
    expect(left()).toBe(0)
  })

  it('reports the error of the preferred address, also where that fails last', async () => {
    const { winner, socket, left } = attempts(one, two)
    await vi.advanceTimersByTimeAsync(250)
    const preferred = new Error('timed out')
    socket(two).emit('error', new Error('refused'))
    socket(one).emit('error', preferred)
    expect(await failureOf(winner)).toBe(preferred)
    expect(left()).toBe(0)
  })

  it.each(['before', 'while'])('destroys all attempts when the signal aborts %s they run', async (when) => {
    const owner = new AbortController()
    const reason = new Error('enough')
    if (when === 'before') owner.abort(reason)
    const sockets: Socket[] = []
    const open = (): Socket => {
      const socket = new Socket()
      sockets.push(socket)
      return socket
    }
    const winner = failureOf(connectFirst([one, two, three], open, { attemptDelay: 250, signal: owner.signal }))
    await vi.advanceTimersByTimeAsync(250)
    owner.abort(reason)
    expect(await winner).toBe(reason)
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual(when === 'before' ? [] : [true, true])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sockets).toHaveLength(when === 'before' ? 0 : 2)
    expect(vi.getTimerCount() + getEventListeners(owner.signal, 'abort').length).toBe(0)
  })

  it('tries one after the other where the delay is infinite', async () => {
    const owner = new AbortController()
    const tried: string[] = []
    const open = (address: string): Socket => {
      tried.push(address)
      return new Socket()
    }
    const winner = failureOf(connectFirst([one, two], open, { attemptDelay: Infinity, signal: owner.signal }))
    await vi.advanceTimersByTimeAsync(2 ** 40)
    expect(tried).toEqual([one])
    owner.abort(new Error('enough'))
    expect(await winner).toEqual(new Error('enough'))
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ClosedError, IdleError } from '@it-socks/protocol'
import { join, throttle } from '@it-socks/relay'
import { duplexPair, hex } from '@it-socks/testing'
import { all, failureOf, failuresOf, iterate, open, say } from './setup.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Two that talk to each other through a relay, a byte at a time. */
const relay = (idle: number) => {
  const [client, near] = duplexPair()
  const [far, target] = duplexPair()
  const outcome = vi.fn<(outcome: unknown) => void>()
  const relayed = join(near, far, { idle })
  const settled = relayed.then(outcome, outcome)
  return { client, target, relayed, settled, outcome }
}

const reset = new ClosedError('the peer reset the connection')

describe('a relay that is idle for its time', () => {
  it('resets both sides, and says for how long', async () => {
    const { client, target, relayed } = relay(60_000)
    const rest = failuresOf(...[client, target].flatMap((end) => [iterate(end).next(), end.sink(open())]))
    const failure = failureOf(relayed)
    await vi.advanceTimersByTimeAsync(60_000)
    const error = await failure
    expect(error).toBeInstanceOf(IdleError)
    expect(error).toMatchObject({ code: 'ERR_SOCKS_IDLE', message: 'idle for 60000 ms' })
    expect(await rest).toEqual([reset, reset, reset, reset])
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each(['client', 'target'] as const)('is not one in which the %s alone talks', async (talking) => {
    const { client, target, settled, outcome } = relay(1000)
    const [speaker, listener] = talking === 'client' ? [client, target] : [target, client]
    const hearing = iterate(listener)
    void failureOf(
      speaker.sink(
        (async function* () {
          for (let said = 0; said < 5; said++) {
            await new Promise((resolve) => setTimeout(resolve, 900))
            yield hex`01`
          }
          await new Promise(() => {})
        })()
      )
    )
    for (let heard = 0; heard < 5; heard++) {
      const next = hearing.next()
      await vi.advanceTimersByTimeAsync(900)
      await next
    }
    await vi.advanceTimersByTimeAsync(999)
    expect(outcome).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await settled
    expect(outcome).toHaveBeenCalledExactlyOnceWith(new IdleError(1000))
  })

  it.each(['client', 'target'] as const)('may be one whose %s has closed its half', async (ending) => {
    const { client, target, relayed } = relay(1000)
    const [ended, silent] = ending === 'client' ? [client, target] : [target, client]
    await Promise.all([ended.sink(say()), all(silent.source)])
    const failure = failureOf(relayed)
    const listening = failureOf(iterate(ended).next())
    await vi.advanceTimersByTimeAsync(1000)
    expect(await failure).toEqual(new IdleError(1000))
    expect(await listening).toEqual(reset)
  })

  it('is not one that a throttle holds up', async () => {
    const [client, near] = duplexPair()
    const [far, target] = duplexPair()
    const relayed = join(near, far, { idle: 1000, up: [throttle(10)] })
    const heard = all(target.source)
    const said = [client.sink(say(...Array.from({ length: 4 }, () => new Uint8Array(9)))), target.sink(say())]
    await vi.advanceTimersByTimeAsync(4000)
    await Promise.all([...said, all(client.source)])
    expect(await relayed).toEqual({ up: 36, down: 0 })
    expect(await heard).toHaveLength(36)
  })

  it('has no clock running once it has ended by itself', async () => {
    const { client, target, relayed } = relay(1000)
    await Promise.all([client.sink(say()), target.sink(say()), all(client.source), all(target.source)])
    expect(await relayed).toEqual({ up: 0, down: 0 })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('has no clock at all where the time is infinite', async () => {
    const { client, relayed, outcome } = relay(Infinity)
    await vi.advanceTimersByTimeAsync(2 ** 40)
    expect(vi.getTimerCount()).toBe(0)
    expect(outcome).not.toHaveBeenCalled()
    client.abort(new Error('enough'))
    expect(await failureOf(relayed)).toEqual(reset)
  })

  it('has its clock stopped by an abort, also where a side cannot be aborted and never settles', async () => {
    const owner = new AbortController()
    const mute = { source: open(), sink: () => new Promise<void>(() => {}) }
    const relayed = join(mute, mute, { idle: 1000, signal: owner.signal })
    const reason = new Error('the server is closing')
    owner.abort(reason)
    expect(await failureOf(relayed)).toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })
})

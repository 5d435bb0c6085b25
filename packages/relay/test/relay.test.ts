import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ClosedError, RefusedError, greeting, methodSelection } from '@it-socks/protocol'
import { relay, tap, type RelayOptions } from '@it-socks/relay'
import { frames, pipe, stage, type ByteDuplex, type Tunnelled } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'
import { all, failureOf, failuresOf, iterate, open, say } from './setup.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** The smallest command there is: reads a greeting, says yes and opens the tunnel. */
const tunnelling = (tunnel: ByteDuplex) =>
  stage<unknown, Tunnelled>(async function* ({ frames }) {
    const { methods } = await frames.read(greeting)
    yield methodSelection.encode({ method: methods[0] ?? 0xff })
    return { tunnel }
  })

const error = new RefusedError('not-allowed')
/** A command that always says no, by `ff`. */
const refusing = stage<unknown, { refuse: () => Uint8Array }>(async function* () {
  return { refuse: () => hex`ff` }
})
const failing = stage<unknown, Tunnelled>(async function* ({ frames }) {
  await frames.read(greeting)
  throw error
})

/** A pipeline between a client and a target, both of which are the test's. */
const start = (options?: RelayOptions & { signal?: AbortSignal }) => {
  const [client, near] = duplexPair()
  const [far, target] = duplexPair()
  const { signal, ...rest } = options ?? {}
  const relayed = pipe(near, frames(signal && { signal }), tunnelling(far), relay(near, rest))
  return { client, target, relayed }
}

/** Waits until the first byte has come through the relay; what the two say and hear after it is to fail. */
const established = async (client: ByteDuplex, target: ByteDuplex) => {
  const [hearing, listening] = [iterate(client), iterate(target)]
  const sent = failureOf(client.sink(open(hex`05 01 00 aa`)))
  expect((await hearing.next()).value).toEqual(hex`05 00`)
  expect((await listening.next()).value?.subarray()).toEqual(hex`aa`)
  return { hearing, rest: Promise.all([sent, failureOf(target.sink(open())), failureOf(listening.next())]) }
}

const reset = new ClosedError('the peer reset the connection')

describe('relay', () => {
  it('rejects, and closes the client, where a stage did not even open what it says it has', async () => {
    const [client, near] = duplexPair()
    const mistaken = stage<unknown, Tunnelled>(async () => ({ tunnel: undefined as never }))
    const relayed = failureOf(pipe(near, frames(), mistaken, relay(near)))
    await failureOf(client.sink(say()))
    expect(await relayed).toBeInstanceOf(TypeError)
  })

  it('answers the client, then joins it with the tunnel until both have ended', async () => {
    const { client, target, relayed } = start()
    const [heard, asked] = await Promise.all([
      all(client.source),
      all(target.source),
      client.sink(say(hex`05 01 00`, hex`aa`, hex`bb cc`)),
      target.sink(say(hex`dd`, hex`ee`))
    ])
    expect([heard, asked]).toEqual([hex`05 00  dd ee`, hex`aa bb cc`])
    // The handshake is not counted.
    expect(await relayed).toEqual({ up: 3, down: 2 })
  })

  it('lets data that came with the handshake reach the target first', async () => {
    const { client, target, relayed } = start()
    const [asked] = await Promise.all([
      all(target.source),
      all(client.source),
      client.sink(say(hex`05 01 00 aa bb`, hex`cc`)),
      target.sink(say())
    ])
    expect(asked).toEqual(hex`aa bb cc`)
    expect(await relayed).toEqual({ up: 3, down: 0 })
  })

  it('gives the transforms and the count what is relayed, and no byte of the handshake', async () => {
    const seen: string[] = []
    const look = (way: string) => tap((bytes) => seen.push(`${way} ${bytes.byteLength}`))
    const traffic = { up: 0, down: 0 }
    const { client, target, relayed } = start({ up: [look('up')], down: [look('down')], traffic })
    await Promise.all([
      all(target.source),
      all(client.source),
      client.sink(say(hex`05 01 00 aa bb`)),
      target.sink(say(hex`cc`))
    ])
    expect(await relayed).toBe(traffic)
    expect(traffic).toEqual({ up: 2, down: 1 })
    expect(seen.toSorted()).toEqual(['down 1', 'up 2'])
  })

  it('is aborted by the signal of the pipeline, which keeps no listener', async () => {
    const owner = new AbortController()
    const { client, target, relayed } = start({ signal: owner.signal })
    const { hearing, rest } = await established(client, target)
    const reason = new Error('the server is closing')
    owner.abort(reason)
    expect(await failureOf(relayed)).toBe(reason)
    expect([...(await rest), ...(await failuresOf(hearing.next()))]).toEqual([reset, reset, reset, reset])
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it('resets the target where the client goes away', async () => {
    const { client, target, relayed } = start()
    const { rest } = await established(client, target)
    const enough = new Error('enough')
    client.abort(enough)
    expect(await failureOf(relayed)).toEqual(reset)
    expect(await rest).toEqual([enough, reset, reset])
  })

  it('leaves no timer when it has ended', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { client, target, relayed } = start({ idle: 1000 })
    const talk = [client.sink(say(hex`05 01 00`)), target.sink(say()), all(target.source), all(client.source)]
    await Promise.all([relayed, ...talk])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a relay whose pipeline fails', () => {
  it('tells the client, closes, relays nothing, and throws what the stage threw', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const [client, near] = duplexPair()
    const seen: number[] = []
    const look = tap((bytes) => seen.push(bytes.byteLength))
    const relayed = pipe(near, frames(), refusing, failing, relay(near, { up: [look], down: [look], idle: 1000 }))
    const [heard, outcome] = await Promise.all([
      all(client.source),
      failureOf(relayed),
      client.sink(say(hex`05 01 00 aa bb`))
    ])
    expect(heard).toEqual(hex`ff`)
    expect(outcome).toBe(error)
    expect(seen).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not wait for ever for a client that does not close', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const [client, near] = duplexPair()
    const relayed = failureOf(pipe(near, frames(), refusing, failing, relay(near, { linger: 500 })))
    const sent = failureOf(client.sink(open(hex`05 01 00`)))
    expect(await all(client.source)).toEqual(hex`ff`)
    await vi.advanceTimersByTimeAsync(500)
    expect(await relayed).toBe(error)
    expect(await sent).toEqual(reset)
    expect(vi.getTimerCount()).toBe(0)
  })
})

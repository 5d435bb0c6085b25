import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IdleError } from '@it-socks/protocol'
import { join, type Traffic } from '@it-socks/relay'
import type { DatagramTraffic, Tunnel } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'
import { all, failureOf, open, say } from './setup.ts'

type Passed = Parameters<DatagramTraffic['watch']>[0]

/** The tunnel of an association: its source says nothing, its sink ends it, and its datagrams pass when a test says so. */
const association = () => {
  const [near, far] = duplexPair()
  const watchers: Passed[] = []
  const over = far.sink(
    (async function* () {
      await all(far.source)
    })()
  )
  const tunnel: Tunnel = { ...near, datagrams: { dropped: {}, watch: (passed) => watchers.push(passed) } }
  const pass: Passed = (direction, length) => watchers.forEach((passed) => passed(direction, length))
  return { tunnel, watchers, pass, over }
}

describe('a relay of an association', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('counts datagrams as they pass, beside the bytes of the stream', async () => {
    const [client, near] = duplexPair()
    const { tunnel, watchers, pass, over } = association()
    const traffic: Traffic = { up: 0, down: 0 }
    const relayed = join(near, tunnel, { traffic })
    expect(watchers).toHaveLength(1)
    pass('up', 100)
    pass('down', 65_507)
    pass('up', 0)
    expect(traffic).toEqual({ up: 100, down: 65_507 })
    await Promise.all([client.sink(say(hex`01 02`)), all(client.source), over])
    expect(await relayed).toEqual({ up: 102, down: 65_507 })
  })

  it.each(['up', 'down'] as const)(
    'is not idle while datagrams go %s alone, and is when they stop',
    async (direction) => {
      const [client, near] = duplexPair()
      const { tunnel, pass, over } = association()
      const outcome = vi.fn<(outcome: unknown) => void>()
      const settled = join(near, tunnel, { idle: 1000 }).then(outcome, outcome)
      const broken = [failureOf(client.sink(open())), failureOf(all(client.source)), failureOf(over)]
      for (let passed = 0; passed < 5; passed++) {
        await vi.advanceTimersByTimeAsync(900)
        pass(direction, 1)
      }
      await vi.advanceTimersByTimeAsync(999)
      expect(outcome).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(1)
      await settled
      expect(outcome).toHaveBeenCalledExactlyOnceWith(new IdleError(1000))
      await Promise.all(broken)
      expect(vi.getTimerCount()).toBe(0)
    }
  )

  it('has no clock started again by a datagram that passes when it is over', async () => {
    const [client, near] = duplexPair()
    const { tunnel, pass, over } = association()
    const relayed = join(near, tunnel, { idle: 1000 })
    await Promise.all([client.sink(say()), all(client.source), over])
    expect(await relayed).toEqual({ up: 0, down: 0 })
    pass('down', 1)
    expect(vi.getTimerCount()).toBe(0)
  })
})

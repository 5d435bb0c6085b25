import { describe, expect, it, vi } from 'vitest'
import { ClosedError, RefusedError } from '@it-socks/protocol'
import { compose, isHandoff, stage, type Handoff, type Step } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { handoff, run, steps } from './steps.ts'

const refusing = (refusal?: Uint8Array) => vi.fn<Handoff<unknown>['refuse']>(() => refusal)
const error = new RefusedError('not-allowed')

describe('a body that is a function', () => {
  it('adds what it returns, at once', async () => {
    const next = stage<{ a: number }, { b: number }>(({ context }) => ({ b: context.a + 1 }))
    const { handoff: end } = await run(next(steps(handoff({ context: { a: 1 } }))))
    expect(end?.context).toEqual({ a: 1, b: 2 })
  })

  it('refuses by throwing', async () => {
    const refuse = refusing(hex`ff`)
    const failing = stage<unknown, {}>(() => {
      throw error
    })
    expect(await run(failing(steps(handoff({ refuse }))))).toEqual({ said: ['ff'], error })
    expect(refuse.mock.calls).toEqual([[error]])
  })

  it('is refused where the signal has aborted', async () => {
    const reason = new Error('shutting down')
    const refuse = refusing()
    const signal = AbortSignal.abort(reason)
    expect(await run(stage(() => ({}))(steps(handoff({ refuse, signal }))))).toEqual({ said: [], error: reason })
    expect(refuse.mock.calls).toEqual([[reason]])
  })
})

describe('a body that is an async function', () => {
  it('adds what it resolves with', async () => {
    const { handoff: end } = await run(stage(async () => ({ a: 1 }))(steps(handoff())))
    expect(end?.context).toEqual({ a: 1 })
  })

  it('refuses by rejecting', async () => {
    const refuse = refusing(hex`ff`)
    const failing = stage<unknown, {}>(() => Promise.reject(error))
    expect(await run(failing(steps(handoff({ refuse }))))).toEqual({ said: ['ff'], error })
    expect(refuse.mock.calls).toEqual([[error]])
  })

  it('is not waited for where the signal aborts: what it opens after all is closed by its own refuse', async () => {
    const owner = new AbortController()
    const reason = new Error('shutting down')
    let open!: (opened: { tunnel: string; refuse: (error: unknown) => undefined }) => void
    const opening = stage<unknown, { tunnel: string }>(
      () =>
        new Promise((resolve) => {
          open = resolve
        })
    )
    const outcome = run(opening(steps(handoff({ signal: owner.signal }))))
    await vi.waitFor(() => expect(open).toBeDefined())
    owner.abort(reason)
    expect(await outcome).toEqual({ said: [], error: reason })
    const refused = new Promise((resolve) => {
      open({ tunnel: 'open', refuse: (why) => resolve(why) as undefined })
    })
    expect(await refused).toEqual(new ClosedError())
  })
})

describe('a seal that throws', () => {
  const broken = new Error('the cipher is broken')
  const seal = (): never => {
    throw broken
  }
  const closed = refusing()

  it.each([
    [
      'what a generator says',
      stage<unknown, {}>(async function* () {
        yield hex`01`
        return {}
      })
    ],
    ['what an async function says', stage<unknown, {}>(async (_, say) => (await say(hex`01`), {}))]
  ])('fails %s', async (_, body) => {
    const refuse = refusing(hex`ff`)
    expect(await run(body(steps(handoff({ refuse, seal }))))).toEqual({ said: [], error: broken })
    expect(refuse.mock.calls).toEqual([[broken]])
  })

  it.each([
    ['a function', stage(() => ({ answer: hex`01`, refuse: closed }))],
    ['an async function', stage(async () => ({ answer: hex`01`, refuse: closed }))]
  ])('fails the answer of %s, and what that has opened is closed', async (_, body) => {
    closed.mockClear()
    expect(await run(body(steps(handoff({ seal }))))).toEqual({ said: [], error: broken })
    expect(closed.mock.calls).toEqual([[broken]])
  })

  it('does not hide what had failed', async () => {
    const failing = stage<unknown, {}>(() => {
      throw error
    })
    expect(await run(failing(steps(handoff({ refuse: refusing(hex`ff`), seal }))))).toEqual({ said: [], error })
  })
})

it('a body that was refused says nothing any more', async () => {
  const owner = new AbortController()
  const reason = new Error('shutting down')
  let speak!: () => Promise<void> | undefined
  const late = stage<unknown, {}>(async (_, say) => {
    speak = () => say(hex`01`)
    await new Promise(() => {})
    return {}
  })
  const outcome = run(late(steps(handoff({ refuse: refusing(hex`ff`), signal: owner.signal }))))
  await vi.waitFor(() => expect(speak).toBeDefined())
  owner.abort(reason)
  expect(await outcome).toEqual({ said: ['ff'], error: reason })
  expect(speak()).toBeUndefined()
})

it('a copy of a handoff has its signal, like any other', async () => {
  const { signal } = new AbortController()
  let seen: AbortSignal | undefined
  const looking = stage<unknown, {}>(({ signal }) => {
    seen = signal
    return {}
  })
  const copying = async function* (all: AsyncIterable<Step<unknown>>): AsyncGenerator<Step<unknown>> {
    for await (const step of all) yield isHandoff(step) ? { ...step, context: {} } : step
  }
  const { handoff: end } = await run(looking(copying(stage(() => ({ a: 1 }))(steps(handoff({ signal }))))))
  expect(seen).toBe(signal)
  expect(end?.signal).toBe(signal)
})

describe('an answer', () => {
  const answering = (refuse: (error: unknown) => undefined, seal?: Handoff<unknown>['seal']) =>
    stage<unknown, { tunnel: string }>(() => ({ tunnel: 'open', answer: hex`0a`, refuse, ...(seal && { seal }) }))

  it('is said last, sealed as all that the body says, and not added', async () => {
    const highBit: Handoff<unknown>['seal'] = (bytes) => bytes.subarray().map((byte) => byte | 0x80)
    const own = refusing()
    const { said, handoff: end } = await run(answering(own as never, highBit)(steps(handoff())))
    expect(said).toEqual(['0a'])
    expect(end?.context).toEqual({ tunnel: 'open' })
    expect([end?.seal, end?.refuse]).toEqual([highBit, own])
    expect(own).not.toHaveBeenCalled()
  })

  it('that nobody hears has the refuse of the same return told, not the one before', async () => {
    const [before, own] = [refusing(hex`ff`), refusing()]
    const running = answering(own as never)(steps(handoff({ refuse: before })))
    expect((await running.next()).value).toEqual(hex`0a`)
    await running.return()
    expect(own.mock.calls).toEqual([[new ClosedError()]])
    expect(before).not.toHaveBeenCalled()
  })

  it('leaves it to later stages to refuse by it', async () => {
    const own = refusing()
    const failing = stage<unknown, {}>(() => {
      throw error
    })
    const outcome = await run(compose(answering(own as never), failing)(steps(handoff())))
    expect(outcome).toEqual({ said: ['0a'], error })
    expect(own.mock.calls).toEqual([[error]])
  })
})

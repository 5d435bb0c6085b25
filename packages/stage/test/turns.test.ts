import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ClosedError, DeadlineError } from '@it-socks/protocol'
import { cancellation, choose, compose, deadline, detect, frames, handshake, observe, pipe } from '@it-socks/stage'
import { isHandoff, readFrames, stage, type Say, type Step } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'
import { chunks, failureOf, handoff, run, steps } from './steps.ts'

const reason = new Error('shutting down')
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

/** A stage that opens something when it is told to. */
const opening = () => {
  const closed = vi.fn<(error: unknown) => undefined>()
  let open = (): void => {}
  const began = new Promise<void>((resolve) => {
    open = resolve
  })
  let begin = (): void => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const body = stage<unknown, { opened: true }>(async () => {
    begin()
    await began
    return { opened: true, answer: hex`0a`, refuse: closed }
  })
  return { body, begun, open, closed }
}

/** Says who is at work, in the order in which they are. */
const noting = (told: string[], name: string) =>
  stage<unknown, {}>(async () => {
    told.push(name)
    return {}
  })

/** An iterator of somebody else's, who sees every step. */
const foreign = async function* <Context>(all: AsyncIterable<Step<Context>>): AsyncGenerator<Step<Context>, void> {
  for await (const step of all) yield isHandoff(step) ? { ...step } : step
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a stage deep within others', () => {
  const deep = (inner: ReturnType<typeof opening>['body']) =>
    deadline(
      'all',
      5000,
      compose(
        detect({
          5: compose(
            observe(() => {}),
            deadline('opening', 1000, inner)
          )
        }),
        observe(() => {})
      )
    )
  const begin = (signal: AbortSignal) => handoff({ frames: readFrames(chunks(hex`05`)), signal })

  it('is one listener of the signal, and two clocks', async () => {
    const { signal } = new AbortController()
    const { body, begun, open } = opening()
    const outcome = run(deep(body)(steps(begin(signal))))
    await begun
    expect([listeners(signal), vi.getTimerCount()]).toEqual([1, 2])
    open()
    const { said, handoff: end } = await outcome
    expect(said).toEqual(['0a'])
    expect(end?.context).toEqual({ opened: true })
    expect(end?.signal).toBe(signal)
    expect([listeners(signal), vi.getTimerCount()]).toEqual([0, 0])
  })

  it.each([
    ['the signal aborts', (owner: AbortController) => owner.abort(reason), reason],
    ['its own time is up', () => vi.advanceTimersByTime(1000), new DeadlineError('opening', 1000)]
  ])('where %s, has what it opens after all closed', async (_, end, error) => {
    const owner = new AbortController()
    const { body, begun, open, closed } = opening()
    const outcome = run(deep(body)(steps(begin(owner.signal))))
    await begun
    end(owner)
    open()
    expect((await outcome).error).toEqual(error)
    await vi.advanceTimersByTimeAsync(0)
    expect(closed.mock.calls).toEqual([[new ClosedError()]])
    expect([listeners(owner.signal), vi.getTimerCount()]).toEqual([0, 0])
  })
})

describe('clocks', () => {
  const timed = (inner: Parameters<typeof deadline>[2]) =>
    compose(
      deadline('all', 5000, deadline('one', 1000, inner)),
      observe(() => {})
    )

  it.each([
    ['comes through', () => ({})],
    ['comes through later', async () => ({})],
    ['says no', () => Promise.reject(reason)],
    [
      'says no at once',
      () => {
        throw reason
      }
    ],
    ['gives an answer', () => ({ answer: hex`01` })],
    ['has not even what it should come to', async () => undefined as never],
    [
      'gives an answer that cannot be sealed',
      () => ({
        get answer(): never {
          throw reason
        }
      })
    ]
  ])('are stopped where the stage %s', async (_, body) => {
    const { signal } = new AbortController()
    await run(timed(stage(body))(steps(handoff({ signal }))))
    expect([listeners(signal), vi.getTimerCount()]).toEqual([0, 0])
  })

  it('are stopped where nobody hears a refusal out', async () => {
    const { signal } = new AbortController()
    const failing = stage(() => Promise.reject(reason))
    const running = timed(failing)(steps(handoff({ signal, refuse: () => hex`ff` })))
    expect((await running.next()).value).toEqual(hex`ff`)
    expect([listeners(signal), vi.getTimerCount()]).toEqual([0, 0])
    await running.return()
  })

  it('that never go off are no clocks', async () => {
    const { signal } = new AbortController()
    let seen: AbortSignal | undefined
    const looking = stage(({ signal: given }) => {
      seen = given
      return {}
    })
    const { handoff: end } = await run(deadline('ever', Infinity, looking)(steps(handoff({ signal }))))
    expect([seen, end?.signal, listeners(signal)]).toEqual([signal, signal, 0])
  })

  it('have run out for all that comes behind them where the outer one has', async () => {
    const slow = stage(
      () =>
        new Promise<{}>((resolve) => {
          setTimeout(() => resolve({}), 900)
        })
    )
    const outcome = run(
      deadline('all', 1000, compose(deadline('one', 950, slow), deadline('two', 950, slow)))(steps(handoff()))
    )
    await vi.advanceTimersByTimeAsync(1000)
    expect((await outcome).error).toMatchObject({ message: 'all took longer than 1000 ms' })
    await vi.runAllTimersAsync()
  })
})

describe('a body that aborts what it is cancelled by', () => {
  it.each([
    ['and is over at once', (opened: {}) => opened],
    ['and comes through later', async (opened: {}) => opened]
  ])('%s is refused, and what it opened is closed', async (_, come) => {
    const owner = cancellation()
    const closed = vi.fn<(error: unknown) => undefined>()
    const after = vi.fn<() => void>()
    const body = stage<unknown, {}>(() => {
      owner.abort(reason)
      return come({ refuse: closed })
    })
    const outcome = await run(compose(body, observe(after))(frames({ signal: owner })(chunks())))
    expect(outcome).toEqual({ said: [], error: reason })
    await vi.advanceTimersByTimeAsync(0)
    expect(closed).toHaveBeenCalledTimes(1)
    expect(after).not.toHaveBeenCalled()
  })

  it('and chooses, chooses nobody', async () => {
    const owner = cancellation()
    const after = vi.fn<() => void>()
    const choosing = choose<unknown, {}>(() => {
      owner.abort(reason)
      return observe(after)
    })
    expect(await run(choosing(frames({ signal: owner })(chunks())))).toEqual({ said: [], error: reason })
    expect(after).not.toHaveBeenCalled()
  })
})

describe('what somebody says', () => {
  it.each([
    [
      'at once',
      (keep: (say: Say) => void) =>
        stage<unknown, {}>((_, say) => {
          keep(say)
          return {}
        })
    ],
    [
      'later',
      (keep: (say: Say) => void) =>
        stage<unknown, {}>(async (_, say) => {
          keep(say)
          return {}
        })
    ]
  ])('whose body was over %s is not heard while others are at work', async (_, early) => {
    let say: Say | undefined
    const later = stage<unknown, {}>(async function* () {
      await say?.(hex`01`)
      yield hex`02`
      return {}
    })
    const both = compose(
      early((given) => {
        say = given
      }),
      later
    )
    const { said } = await run(both(steps(handoff())))
    expect(say).toBeDefined()
    expect(said).toEqual(['02'])
  })
})

it('what a stage has seen of the context stays as it was', async () => {
  const seen: unknown[] = []
  const look = observe((context) => seen.push(context))
  const add = (added: {}) =>
    compose(
      stage(() => added),
      look
    )
  await run(
    add({ c: 4, refuse: () => undefined })(add({ b: 3 })(add({ a: 2 })(look(steps(handoff({ context: { a: 1 } }))))))
  )
  expect(seen).toEqual([{ a: 1 }, { a: 2 }, { a: 2, b: 3 }, { a: 2, b: 3, c: 4 }])
})

it('a refuse that throws does not hide what had failed', async () => {
  const failing = stage(() => Promise.reject(reason))
  const refuse = (): never => {
    throw new Error('a mistake')
  }
  expect(await run(failing(steps(handoff({ refuse }))))).toEqual({ said: [], error: reason })
})

describe('an answer that nobody takes', () => {
  const answering = () => {
    const closed = vi.fn<(error: unknown) => undefined>()
    const first = stage((_, say) => {
      void say(hex`01`)
      return {}
    })
    const opens = stage(() => ({ opened: true, answer: new Uint8Array(200_000), refuse: closed }))
    return { closed, body: compose(first, opens) }
  }

  it('fails with the deadline, and what was opened is closed', async () => {
    const [near] = duplexPair()
    const { body, closed } = answering()
    const failed = failureOf(pipe(near, frames(), deadline('answering', 1000, body), handshake(near, { linger: 10 })))
    await vi.advanceTimersByTimeAsync(1010)
    expect(await failed).toBeInstanceOf(DeadlineError)
    expect(closed.mock.calls).toEqual([[await failed]])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('fails with what cancels it, and is not handed over where there is room after all', async () => {
    const [near, far] = duplexPair()
    const { body, closed } = answering()
    const owner = cancellation()
    const failed = failureOf(pipe(near, frames({ signal: owner }), body, handshake(near, { linger: 10 })))
    await vi.advanceTimersByTimeAsync(0)
    owner.abort(reason)
    const reading = failureOf(far.source[Symbol.asyncIterator]().next())
    await vi.advanceTimersByTimeAsync(10)
    await reading
    expect(await failed).toBe(reason)
    expect(closed.mock.calls).toEqual([[reason]])
  })
})

it('a late refuse that throws is nobody’s business', async () => {
  const [near] = duplexPair()
  const owner = cancellation()
  const { body, begun, open, closed } = opening()
  closed.mockImplementation(() => {
    throw new Error('a mistake')
  })
  const failed = failureOf(pipe(near, frames({ signal: owner }), body, handshake(near, { linger: 10 })))
  await begun
  owner.abort(reason)
  await vi.advanceTimersByTimeAsync(10)
  expect(await failed).toBe(reason)
  open()
  await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce())
})

it('stages on both sides of an iterator of somebody else have their turns in order', async () => {
  const told: string[] = []
  const [near] = duplexPair()
  const timed = (name: string) => deadline(name, 1000, compose(noting(told, `${name} 1`), noting(told, `${name} 2`)))
  const { context } = await pipe(
    near,
    frames({ context: { a: 1 } }),
    timed('before'),
    foreign,
    timed('behind'),
    stage(() => ({ b: 2 })),
    handshake(near)
  )
  expect(told).toEqual(['before 1', 'before 2', 'behind 1', 'behind 2'])
  expect(context).toEqual({ a: 1, b: 2 })
  expect(vi.getTimerCount()).toBe(0)
})

it('an iterator of somebody else does not keep the signal from the stages on its sides', async () => {
  const owner = new AbortController()
  const [near] = duplexPair()
  const { body, begun } = opening()
  const served = failureOf(
    pipe(
      near,
      frames({ signal: owner.signal }),
      observe(() => {}),
      foreign,
      deadline('opening', 1000, body),
      handshake(near, { linger: 0 })
    )
  )
  await begun
  owner.abort(reason)
  await vi.runAllTimersAsync()
  expect(await served).toBe(reason)
  expect([listeners(owner.signal), vi.getTimerCount()]).toEqual([0, 0])
})

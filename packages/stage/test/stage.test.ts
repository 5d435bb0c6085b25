import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { ClosedError, RefusedError } from '@it-socks/protocol'
import { observe, plain, readFrames, stage, type Bytes, type Handoff } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { chunks, handoff, run, steps } from './steps.ts'

const nothing = stage<unknown, {}>(async function* () {
  return {}
})

/** A seal that anyone can see through: it sets the high bit. */
const highBit = (bytes: Bytes): Bytes => bytes.subarray().map((byte) => byte | 0x80)

/** A `refuse` that says these bytes and remembers its errors. */
const refusing = (refusal?: Uint8Array) => vi.fn<Handoff<unknown>['refuse']>(() => refusal)

describe('stage', () => {
  it('passes on what the stages before it say, then says its own', async () => {
    const speaking = stage<unknown, {}>(async function* () {
      yield hex`02`
      yield hex`03`
      return {}
    })
    const { said, handoff: end } = await run(speaking(steps(hex`00`, hex`01`, handoff())))
    expect(said).toEqual(['00', '01', '02', '03'])
    expect(end).toBeDefined()
  })

  it('adds to the context; of one name, the later counts', async () => {
    const adding = stage<{ a: number }, { b: number; c: number }>(async function* ({ context }) {
      return { b: context.a + 1, c: 3 }
    })
    const start = { a: 1, c: 0 }
    const { handoff: end } = await run(adding(steps(handoff({ context: start }))))
    expect(end?.context).toEqual({ a: 1, b: 2, c: 3 })
    expect(start).toEqual({ a: 1, c: 0 })
  })

  it('hands over what it was given where it replaces nothing', async () => {
    const given = handoff({ refuse: refusing(), seal: highBit, signal: new AbortController().signal })
    const { handoff: end } = await run(nothing(steps(given)))
    expect(end).toEqual(given)
    expect(end?.frames).toBe(given.frames)
  })

  it('replaces frames, seal and refuse, and keeps them out of the context', async () => {
    const replacements = { frames: readFrames(chunks()), seal: highBit, refuse: refusing() }
    const replacing = stage<unknown, { added: true }>(async function* () {
      return { ...replacements, added: true }
    })
    const { handoff: end } = await run(replacing(steps(handoff())))
    expect(end).toMatchObject(replacements)
    expect(end?.context).toEqual({ added: true })
  })

  it('seals what it says, but a seal of its own is for those after it', async () => {
    const sealing = stage<unknown, {}>(async function* () {
      yield hex`01`
      return { seal: highBit }
    })
    const speaking = stage<unknown, {}>(async function* () {
      yield hex`02`
      throw new RefusedError('not-allowed')
    })
    const { said } = await run(speaking(sealing(steps(handoff({ refuse: refusing(hex`03`) })))))
    expect(said).toEqual(['01', '82', '83'])
  })

  it('looks at a context with observe, which says and adds nothing', async () => {
    const look = vi.fn<(context: { a: number }) => void>()
    const { said, handoff: end } = await run(observe(look)(steps(handoff({ context: { a: 1 } }))))
    expect(look.mock.calls).toEqual([[{ a: 1 }]])
    expect(said).toEqual([])
    expect(end?.context).toEqual({ a: 1 })
  })
})

describe('a stage whose body throws', () => {
  const error = new RefusedError('not-allowed')
  const failing = stage<unknown, {}>(async function* () {
    yield hex`01`
    throw error
  })

  it('refuses once, says the refusal last, and throws on', async () => {
    const refuse = refusing(hex`ff`)
    expect(await run(failing(steps(hex`00`, handoff({ refuse }))))).toEqual({ said: ['00', '01', 'ff'], error })
    expect(refuse.mock.calls).toEqual([[error]])
  })

  it('refuses once however many stages stand around it', async () => {
    const refuse = refusing(hex`ff`)
    const outcome = await run(nothing(nothing(failing(nothing(nothing(steps(handoff({ refuse }))))))))
    expect(outcome).toEqual({ said: ['01', 'ff'], error })
    expect(refuse).toHaveBeenCalledTimes(1)
  })

  it('says nothing more where there is nothing to say', async () => {
    expect(await run(failing(steps(handoff())))).toEqual({ said: ['01'], error })
  })

  it('refuses what an observer throws', async () => {
    const refuse = refusing()
    const look = (): never => {
      throw error
    }
    expect(await run(observe(look)(steps(handoff({ refuse }))))).toEqual({ said: [], error })
    expect(refuse.mock.calls).toEqual([[error]])
  })

  it('leaves an error of an earlier stage to that stage', async () => {
    const refuse = refusing(hex`ff`)
    const replacing = stage<unknown, {}>(async function* () {
      return { refuse: () => hex`ee` }
    })
    const outcome = await run(replacing(failing(steps(handoff({ refuse })))))
    expect(outcome.said).toEqual(['01', 'ff'])
  })
})

describe('a stage whose consumer goes away', () => {
  /** A body that says a byte and tells when it is over. */
  const watched = () => {
    const state = { cleaned: false }
    const body = stage<unknown, {}>(async function* () {
      try {
        yield hex`01`
        return {}
      } finally {
        state.cleaned = true
      }
    })
    return { state, body }
  }

  it('in the middle of the body, runs its finally and releases by refuse, unheard', async () => {
    const { state, body } = watched()
    const refuse = refusing(hex`ff`)
    const running = body(steps(handoff({ refuse })))
    expect((await running.next()).value).toEqual(hex`01`)
    expect(await running.return()).toEqual({ done: true, value: undefined })
    expect(state.cleaned).toBe(true)
    expect(refuse.mock.calls).toEqual([[new ClosedError()]])
  })

  it('at the refusal, does not refuse again', async () => {
    const refuse = refusing(hex`ff`)
    const failing = stage<unknown, {}>(async function* () {
      throw new RefusedError('not-allowed')
    })
    const running = failing(steps(handoff({ refuse })))
    expect((await running.next()).value).toEqual(hex`ff`)
    await running.return()
    expect(refuse).toHaveBeenCalledTimes(1)
  })

  it('after the handoff, releases nothing: it belongs to the next', async () => {
    const refuse = refusing()
    const running = nothing(steps(handoff({ refuse })))
    await running.next()
    await running.return()
    expect(refuse).not.toHaveBeenCalled()
  })
})

describe('a stage that is aborted', () => {
  const reason = new Error('shutting down')

  it('settles at once where the body does not listen, and lets it clean up when it can', async () => {
    const owner = new AbortController()
    const refuse = refusing(hex`ff`)
    let wake!: () => void
    let cleaned!: () => void
    const asleep = new Promise<void>((resolve) => {
      wake = resolve
    })
    const over = new Promise<void>((resolve) => {
      cleaned = resolve
    })
    const deaf = stage<unknown, {}>(async function* () {
      try {
        await asleep
        yield hex`01`
        return {}
      } finally {
        cleaned()
      }
    })
    const outcome = run(deaf(steps(handoff({ refuse, signal: owner.signal }))))
    owner.abort(reason)
    expect(await outcome).toEqual({ said: ['ff'], error: reason })
    expect(refuse.mock.calls).toEqual([[reason]])
    wake()
    await over
  })

  it('settles before it begins', async () => {
    const refuse = refusing()
    const aborted = handoff({ refuse, signal: AbortSignal.abort(reason) })
    expect(await run(nothing(steps(aborted)))).toEqual({ said: [], error: reason })
    expect(refuse).toHaveBeenCalledTimes(1)
  })

  it('settles between two things that it says', async () => {
    const owner = new AbortController()
    const speaking = stage<unknown, {}>(async function* () {
      yield hex`01`
      yield hex`02`
      return {}
    })
    const running = speaking(steps(handoff({ signal: owner.signal })))
    await running.next()
    owner.abort(reason)
    await expect(running.next()).rejects.toBe(reason)
  })

  it('does not care what becomes of the body that it abandoned', async () => {
    const owner = new AbortController()
    let fail!: (error: unknown) => void
    const body = stage<unknown, {}>(async function* () {
      await new Promise((_, reject) => {
        fail = reject
      })
      return {}
    })
    const outcome = run(body(steps(handoff({ signal: owner.signal }))))
    owner.abort(reason)
    expect((await outcome).error).toBe(reason)
    fail(new Error('too late to matter'))
  })

  it.each([
    ['comes through', async () => ({})],
    ['throws', () => Promise.reject(new Error('no'))]
  ])('leaves no listener where the body %s', async (_, end) => {
    const { signal } = new AbortController()
    const body = stage<unknown, {}>(async function* () {
      yield hex`01`
      return await end()
    })
    await run(body(steps(handoff({ signal, seal: plain }))))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

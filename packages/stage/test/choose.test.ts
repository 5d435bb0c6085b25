import { describe, expect, it, vi } from 'vitest'
import { RefusedError } from '@it-socks/protocol'
import { choose, compose, stage, type Handoff, type Stage } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { handoff, run, steps } from './steps.ts'

interface Counted {
  readonly count: number
}

const count = stage<Partial<Counted>, Counted>(({ context }) => ({ count: (context.count ?? 0) + 1 }))
const error = new RefusedError('not-allowed')
const refusing = (refusal?: Uint8Array) => vi.fn<Handoff<unknown>['refuse']>(() => refusal)

describe('choose', () => {
  it('goes on with the stage that it comes to, before those that are ahead', async () => {
    const twice = choose<Partial<Counted>, Counted>(() => compose(count, count))
    const last = stage<Counted, { last: number }>(({ context }) => ({ last: context.count }))
    const { handoff: end } = await run(compose(count, twice, last)(steps(handoff())))
    expect(end?.context).toEqual({ count: 3, last: 3 })
  })

  it('may choose one that chooses, and as often as it takes', async () => {
    const upTo = (limit: number): Stage<Partial<Counted>, Counted> =>
      choose(({ context }) => (context.count === limit - 1 ? count : compose(count, upTo(limit))))
    const { handoff: end } = await run(upTo(1000)(steps(handoff())))
    expect(end?.context).toEqual({ count: 1000 })
  })

  it('may wait and speak, and adds nothing of its own', async () => {
    const asking = choose<Partial<Counted>, Counted>(async (_, say) => {
      await say(hex`01`)
      return count
    })
    const { said, handoff: end } = await run(asking(steps(hex`00`, handoff())))
    expect(said).toEqual(['00', '01'])
    expect(end?.context).toEqual({ count: 1 })
  })

  it.each([
    [
      'throwing',
      (): never => {
        throw error
      }
    ],
    ['rejecting', () => Promise.reject(error)]
  ])('refuses by %s', async (_, fail) => {
    const refuse = refusing(hex`ff`)
    expect(await run(choose(fail)(steps(handoff({ refuse }))))).toEqual({ said: ['ff'], error })
    expect(refuse.mock.calls).toEqual([[error]])
  })

  it('is not waited for where the signal aborts, and nobody takes its stage any more', async () => {
    const owner = new AbortController()
    const reason = new Error('shutting down')
    const body = vi.fn<() => {}>(() => ({}))
    let come!: (chosen: Stage<unknown, {}>) => void
    const choosing = choose<unknown, {}>(
      () =>
        new Promise((resolve) => {
          come = resolve
        })
    )
    const outcome = run(choosing(steps(handoff({ signal: owner.signal }))))
    await vi.waitFor(() => expect(come).toBeDefined())
    owner.abort(reason)
    come(stage(body))
    expect(await outcome).toEqual({ said: [], error: reason })
    expect(body).not.toHaveBeenCalled()
  })
})

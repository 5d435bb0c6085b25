import { describe, expect, it } from 'vitest'
import { DeadlineError } from '@it-socks/protocol'
import { deadline, isHandoff, stage, type Step } from '@it-socks/stage'
import { hex, toHex } from '@it-socks/testing'
import { handoff, run, steps } from './steps.ts'

const words = (step: Step<unknown>): string => (isHandoff(step) ? 'handoff' : toHex(step.subarray()))

describe('stages that are iterated', () => {
  it('keep a refusal for who holds a step while it is said', async () => {
    const slow = stage<unknown, {}>(async function* () {
      yield hex`01`
      await new Promise(() => {})
      return {}
    })
    const refuse = () => hex`ff`
    const running = deadline('thinking', 10, slow)(steps(handoff({ refuse })))
    const first = await running.next()
    const second = await running.next()
    expect([first, second].map(({ value }) => words(value!))).toEqual(['01', 'ff'])
    await expect(running.next()).rejects.toBeInstanceOf(DeadlineError)
    expect(await running.next()).toEqual({ done: true, value: undefined })
  })

  it('may be asked for several steps at a time', async () => {
    const speaking = stage<unknown, {}>(async function* () {
      yield hex`01`
      yield hex`02`
      return {}
    })
    const running = speaking(steps(handoff()))
    const all = await Promise.all([running.next(), running.next(), running.next(), running.next()])
    expect(all.map(({ value }) => value && words(value))).toEqual(['01', '02', 'handoff', undefined])
  })

  it('are over where they are left before they begin', async () => {
    let isClosed = false
    const source = (async function* () {
      try {
        yield handoff()
      } finally {
        isClosed = true
      }
    })()
    await source.next()
    const running = stage(() => ({}))(source)
    expect(await running.return()).toEqual({ done: true, value: undefined })
    expect(isClosed).toBe(true)
    expect(await running.next()).toEqual({ done: true, value: undefined })
  })

  it('let go of the steps before them when they have had their turn, not before', async () => {
    const order: string[] = []
    const lending = async function* (all: AsyncIterable<Step<unknown>>): AsyncGenerator<Step<unknown>> {
      try {
        yield* all
      } finally {
        order.push('let go')
      }
    }
    const using = stage<unknown, {}>(async () => {
      await Promise.resolve()
      order.push('used')
      return {}
    })
    await run(using(lending(steps(handoff()))))
    expect(order).toEqual(['used', 'let go'])
  })
})

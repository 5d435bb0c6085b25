import { describe, expect, it } from 'vitest'
import { oneAtATime } from '../src/serve/one-at-a-time.ts'

const { signal } = new AbortController()

/** Tasks that end when they are told to, and note when they start. */
const tasks = (): {
  readonly started: string[]
  readonly task: (name: string) => () => Promise<string>
  readonly finish: (name: string) => void
} => {
  const started: string[] = []
  const running = new Map<string, (name: string) => void>()
  return {
    started,
    task: (name) => () => {
      started.push(name)
      return new Promise((resolve) => running.set(name, resolve))
    },
    finish: (name) => running.get(name)!(name)
  }
}

describe('oneAtATime', () => {
  it('starts a task when the one before it has ended', async () => {
    const { started, task, finish } = tasks()
    const queue = oneAtATime(2)
    const first = queue(task('first'), { signal })
    await Promise.resolve()
    const second = queue(task('second'), { signal })
    expect(started).toEqual(['first'])
    finish('first')
    expect(await first).toBe('first')
    await Promise.resolve()
    expect(started).toEqual(['first', 'second'])
    finish('second')
    expect(await second).toBe('second')
  })

  it('goes on after a task that failed', async () => {
    const queue = oneAtATime(2)
    const failing = queue(() => Promise.reject(new Error('no')), { signal })
    const next = queue(() => Promise.resolve('next'), { signal })
    await expect(failing).rejects.toThrow('no')
    expect(await next).toBe('next')
  })

  it('lets no more wait than it may, and has room again later', async () => {
    const { started, task, finish } = tasks()
    const queue = oneAtATime(1)
    const first = queue(task('first'), { signal })
    await Promise.resolve()
    const second = queue(task('second'), { signal })
    await expect(queue(task('third'), { signal })).rejects.toThrow('too many are waiting already: 1')
    finish('first')
    await first
    await Promise.resolve()
    const fourth = queue(task('fourth'), { signal })
    finish('second')
    await second
    await Promise.resolve()
    finish('fourth')
    expect(await fourth).toBe('fourth')
    expect(started).toEqual(['first', 'second', 'fourth'])
  })

  it('does not start a task that nobody waits for any more', async () => {
    const { started, task, finish } = tasks()
    const queue = oneAtATime(2)
    const controller = new AbortController()
    const first = queue(task('first'), { signal })
    await Promise.resolve()
    const second = queue(task('second'), { signal: controller.signal })
    controller.abort(new Error('gone'))
    finish('first')
    await first
    await expect(second).rejects.toThrow('gone')
    expect(started).toEqual(['first'])
  })
})

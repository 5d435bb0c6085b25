import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Sample, Task } from '../workloads/workload.ts'
import type { Answer } from './main.ts'

interface Outcome {
  readonly sample: Sample
  /** What could not be measured, and why. */
  readonly notes: readonly string[]
}

/** The process that the load comes from. */
export interface Generator {
  /** Tells it of a proxy, to be ended if nobody else can. */
  guard(pid: number): void
  forget(pid: number): void
  /** Does one round. @throws {Error} with what went wrong */
  run(task: Task): Promise<Outcome>
  stop(): Promise<void>
}

/** `folder` is removed by it, too, if nobody else can. */
export const startGenerator = (folder: string): Generator => {
  // Detached, for a Ctrl-C must not reach it: it has things to clear up.
  const child = fork(new URL('main.js', import.meta.url), [folder], { detached: true })
  const exited = once(child, 'exit')
  return {
    guard(pid) {
      if (child.connected) child.send({ started: pid })
    },
    forget(pid) {
      if (child.connected) child.send({ ended: pid })
    },
    async run(task) {
      child.send(task)
      const [answer] = await Promise.race([once(child, 'message') as Promise<[Answer]>, exited.then(() => [ended])])
      if (answer === undefined || 'error' in answer) throw new Error(answer?.error ?? 'no answer')
      return answer
    },
    async stop() {
      if (child.connected) child.disconnect()
      child.kill('SIGKILL')
      await exited
    }
  }
}

const ended: Answer = { error: 'the load process has ended' }

import { rmSync } from 'node:fs'
import { workloads } from '../workloads/index.ts'
import type { Sample, Task } from '../workloads/workload.ts'

/** What the load process answers. */
export type Answer = { readonly sample: Sample; readonly notes: readonly string[] } | { readonly error: string }

// The process that the load comes from: a task at a time, each of which blocks it. It also outlives whoever gives them, and
// then ends the proxies that it knows of, for those that are not Node's would go on for ever, and removes their folder.
const proxies = new Set<number>()

const run = (task: Task): Answer => {
  const workload = workloads.find(({ name }) => name === task.workload)
  try {
    if (workload === undefined) throw new Error(`there is no workload ${task.workload}`)
    const notes: string[] = []
    const sample = workload.run(task, (text) => notes.push(text))
    return { sample, notes }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

process.on('message', (message: Task | { readonly started: number } | { readonly ended: number }) => {
  if ('started' in message) proxies.add(message.started)
  else if ('ended' in message) proxies.delete(message.ended)
  // Whoever has asked may be gone: then there is a disconnect to hear of, which an error would be ahead of.
  else process.send?.(run(message), undefined, undefined, () => {})
})

process.on('disconnect', () => {
  for (const pid of proxies) {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  if (process.argv[2] !== undefined) rmSync(process.argv[2], { recursive: true, force: true })
  process.exit()
})

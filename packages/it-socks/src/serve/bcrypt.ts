import { once } from 'node:events'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { oneAtATime } from './one-at-a-time.ts'

/** A bcrypt hash as `htpasswd -B` writes it; its cost says that it took 2^cost rounds. */
const bcrypt = /^\$2[aby]\$(?<cost>0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/

/** The cost of a bcrypt hash, 4 to 31; undefined for what is none. */
export const costOf = (hash: string): number | undefined => {
  const cost = bcrypt.exec(hash)?.groups?.['cost']
  return cost === undefined ? undefined : Number(cost)
}

/** A hash of no password in particular, that takes 2^cost rounds. */
export const withCost = (hash: string, cost: number): string =>
  `${hash.slice(0, 4)}${String(cost).padStart(2, '0')}${hash.slice(6)}`

/** Whether a password is that of the first of these hashes. Takes the time of all of them. */
export type Compare = (
  password: string,
  hashes: readonly string[],
  options: { signal: AbortSignal }
) => Promise<boolean>

/**
 * A string, since Node 20 cannot run TypeScript in a worker. On the main thread it would not do: bcryptjs' own `compare`
 * keeps the event loop, and with it every relay, for 100 ms at a time, and as long again for each further comparison.
 */
const program = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { compareSync } = require(workerData)
  parentPort.on('message', ({ password, hashes }) => {
    parentPort.postMessage(hashes.map((hash) => compareSync(password, hash))[0])
  })
`

/**
 * Compares passwords with bcrypt hashes in a thread of its own, which does not keep the process alive, one at a time. At
 * most `waiting` comparisons wait for it, one more rejects at once; so does one whose signal aborts before its turn.
 */
export const bcryptCompare = ({ waiting }: { waiting: number }): Compare => {
  const queue = oneAtATime(waiting)
  let worker: Worker | undefined
  return (password, hashes, options) =>
    queue(async () => {
      worker ??= startWorker()
      try {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
        worker.postMessage({ password, hashes })
        const [same] = (await once(worker, 'message')) as [boolean]
        return same
      } catch (error) {
        // The next one gets a new thread.
        worker = undefined
        throw error
      }
    }, options)
}

const startWorker = (): Worker => {
  const workerData = createRequire(import.meta.url).resolve('bcryptjs')
  const worker = new Worker(program, { eval: true, workerData })
  worker.unref()
  return worker
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { beforeAll, describe, expect, it } from 'vitest'
import { build, built } from './built.ts'

beforeAll(build)

/** Two descriptors, `ours` and `peer`, and a way to `say` something to ours, with all of the package around. */
const script = (body: string): string => `
  import(${JSON.stringify(built)}).then(async (syscall) => {
    const { EPOLLIN, EPOLLOUT, EPOLLET, allocate, loop, recv, send, socketpair } = syscall
    const memory = allocate(64)
    socketpair(1, 0o4001, 0, memory.address)
    const [ours, peer] = [memory.view.getInt32(0, true), memory.view.getInt32(4, true)]
    const edges = (EPOLLIN | EPOLLOUT | EPOLLET) >>> 0
    const say = () => send(peer, memory.address, 1, 0)
    ${body}
  })
`

/** Runs it as a program. Returns how it ended, and what it said. */
const run = async (body: string): Promise<{ code: unknown; said: string }> => {
  const child = spawn(process.execPath, ['-e', script(body)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<unknown[]>])
  return { code, said }
}

// Ours knows of sources that only tests can load.
const threadOptions = { eval: true, execArgv: [] }

describe('a process with the loop', () => {
  it('stays while a descriptor is watched, and ends by itself after the last is closed', async () => {
    const ended = await run(`
      let seen = 0
      loop.watch(ours, edges, { ready: (events) => {
        seen += 1
        if (seen === 1) return setTimeout(say, 20)
        console.log('told')
        loop.close(ours)
      } })
    `)
    expect(ended).toEqual({ code: 0, said: 'told\n' })
  })

  it('watches again after it had nothing to watch', async () => {
    const ended = await run(`
      loop.watch(ours, edges, { ready: () => {} })
      loop.close(ours)
      loop.watch(peer, edges, { ready: () => {
        console.log('told')
        loop.close(peer)
      } })
    `)
    expect(ended).toEqual({ code: 0, said: 'told\n' })
  })

  it('can exit while it watches', async () => {
    const ended = await run(`
      loop.watch(ours, edges, { ready: () => setImmediate(() => process.exit(7)) })
    `)
    expect(ended).toEqual({ code: 7, said: '' })
  })

  it('is not held up by it: timers come in time between batches', async () => {
    const ended = await run(`
      let more = true
      const busy = { ready: () => { if (more) loop.again(busy) } }
      loop.again(busy)
      setTimeout(() => {
        more = false
        console.log('timer')
      }, 5)
    `)
    expect(ended).toEqual({ code: 0, said: 'timer\n' })
  })

  it('dies of what a watcher throws', async () => {
    const child = spawn(process.execPath, [
      '-e',
      script(`loop.watch(ours, edges, { ready() { throw new Error('a mistake') } })`)
    ])
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<unknown[]>])
    expect(code).toBe(1)
    expect(said).toContain('Error: a mistake')
  })
})

describe('a worker thread with the loop', () => {
  it('has one of its own, and ends by itself after the last descriptor is closed', async () => {
    const worker = new Worker(
      script(`
        const { parentPort } = require('node:worker_threads')
        let seen = 0
        loop.watch(ours, edges, { ready: () => {
          seen += 1
          if (seen === 1) return setTimeout(say, 5)
          parentPort.postMessage('told')
          loop.close(ours)
        } })
      `),
      threadOptions
    )
    const [[message], [code]] = (await Promise.all([once(worker, 'message'), once(worker, 'exit')])) as unknown[][] as [
      unknown[],
      unknown[]
    ]
    expect([message, code]).toEqual(['told', 0])
  })

  it('can exit while it watches', async () => {
    const worker = new Worker(
      script(`loop.watch(ours, edges, { ready: () => setImmediate(() => process.exit(7)) })`),
      threadOptions
    )
    expect(await once(worker, 'exit')).toEqual([7])
  })

  it('ends, and nobody else, by what a watcher throws', async () => {
    const worker = new Worker(
      script(`loop.watch(ours, edges, { ready() { throw new Error('a mistake') } })`),
      threadOptions
    )
    const code = new Promise((resolve) => {
      worker.once('exit', resolve)
    })
    expect(await once(worker, 'error')).toMatchObject([{ message: 'a mistake' }])
    expect(await code).toBe(1)
  })

  it('leaves no descriptor behind', async () => {
    const run = async (): Promise<void> => {
      const worker = new Worker(
        script(`loop.watch(ours, edges, { ready: () => {
          loop.close(ours)
          loop.close(peer)
        } })`),
        threadOptions
      )
      await once(worker, 'exit')
    }
    // What a process has for threads, it has from the first on.
    await run()
    const before = readdirSync('/proc/self/fd').length
    await run()
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })

  it.each([
    ['process.exit', 'process.exit()'],
    ['an error', "throw new Error('a mistake')"]
  ])('closes what it watches where it ends by %s', async (_, end) => {
    const run = async (): Promise<void> => {
      const worker = new Worker(
        script(`
          loop.watch(peer, edges, { ready() {} })
          loop.watch(ours, edges, { ready: () => setImmediate(() => { ${end} }) })
        `),
        threadOptions
      )
      worker.on('error', () => {})
      await new Promise((resolve) => {
        worker.once('exit', resolve)
      })
    }
    // What a process has for threads, it has from the first on.
    await run()
    const before = readdirSync('/proc/self/fd').length
    await run()
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })

  it('is no obstacle to a process that exits, however busy it is', async () => {
    const busy = script(`
      const pass = (from, to) => ({ ready() {
        recv(from, memory.address, 1, 0x40)
        send(to, memory.address, 1, 0x40)
      } })
      loop.watch(ours, edges, pass(ours, peer))
      loop.watch(peer, edges, pass(peer, ours))
      require('node:worker_threads').parentPort.postMessage('busy')
    `)
    const ended = await run(`
      const { Worker } = require('node:worker_threads')
      const threads = [1, 2].map(() => new Worker(${JSON.stringify(busy)}, { eval: true }))
      await Promise.all(threads.map((thread) => new Promise((busy) => thread.once('message', busy))))
      setTimeout(() => process.exit(7), 20)
    `)
    expect(ended).toEqual({ code: 7, said: '' })
  })
})

import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import type { Endpoint, SocketDuplex } from '@it-socks/net'
import type { Address } from '@it-socks/protocol'
import { failureOf } from '../../../test/support/duplex.ts'
import { limitDescriptors } from '../../../test/support/limit.ts'
import { openDescriptors, standstill } from '../../../test/support/process.ts'
import { needs } from '../../../test/support/programs.ts'
import { describeEpoll, epoll } from './setup.ts'

/** Connects so many times, tells what it hears, and leaves when it hears that it should. */
const clients = `
  const { connect } = require('node:net')
  process.on('message', ({ endpoint, count }) => {
    const sockets = Array.from({ length: count }, () => connect(endpoint).on('error', () => {}))
    const hear = (socket, text) => text === 'leave' ? socket.end() : process.send(text)
    sockets.forEach((socket) => socket.on('data', (bytes) => hear(socket, bytes.toString())))
    Promise.all(sockets.map((socket) => new Promise((done) => socket.once('connect', done)))).then(() => process.send('here'))
  })
  process.send('ready')
`

const crowd = async (): Promise<ChildProcess> => {
  const child = spawn(process.execPath, ['-e', clients], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  onTestFinished(async () => {
    const gone = once(child, 'exit')
    child.kill()
    await gone
  })
  await once(child, 'message')
  return child
}

/** Leaves this process so few descriptors until the test is over. Programs need some to start: `free` closes what was opened. */
const leave = (few: number, free: () => void): void => {
  const taken = new Set(openDescriptors().map(Number))
  let least = 0
  for (let free = 0; free < few; least++) if (!taken.has(least)) free += 1
  const restore = limitDescriptors(least)
  onTestFinished(() => {
    free()
    restore()
  })
}

/** Counts, and tells who waits for a number. */
const counter = () => {
  const state = { count: 0 }
  const news = new EventEmitter()
  return {
    state,
    add() {
      state.count += 1
      news.emit('news')
    },
    async reach(least: number) {
      while (state.count < least) await once(news, 'news')
    }
  }
}

describeEpoll('where there are no more descriptors', () => {
  needs('prlimit')
  const { listen, dial } = epoll

  it('clients wait, that is told once, those who are in go on, and others come in as these leave', async () => {
    const told: Error[] = []
    const accepted: SocketDuplex[] = []
    const [wants, arrivals] = [counter(), counter()]
    const listener = listen(
      { host: '127.0.0.1', port: 0 },
      {
        accept(connection) {
          accepted.push(connection)
          arrivals.add()
        },
        onAcceptError(error) {
          told.push(error)
          wants.add()
        }
      }
    )
    const closeAll = (): void => {
      listener.close()
      for (const connection of accepted) connection.abort(new Error('the test is over'))
    }
    const endpoint: Endpoint = await listener.listening
    const child = await crowd()
    leave(16, closeAll)
    const here = once(child, 'message')
    child.send({ endpoint, count: 200 })
    await wants.reach(1)
    await here
    const room = await standstill(() => arrivals.state.count)
    expect(room).toBeLessThan(200)
    expect(told).toMatchObject([{ code: 'EMFILE', syscall: 'accept' }])

    const [first, second, third] = accepted as [SocketDuplex, SocketDuplex, SocketDuplex]
    const echoed = once(child, 'message')
    first.transport?.write(Buffer.from('still here'))
    expect(await echoed).toContain('still here')

    second.abort(new Error('enough'))
    third.abort(new Error('enough'))
    await arrivals.reach(room + 2)
    expect(await standstill(() => arrivals.state.count)).toBe(room + 2)

    const [fourth, fifth] = accepted.slice(3) as [SocketDuplex, SocketDuplex]
    for (const connection of [fourth, fifth]) connection.transport?.write(Buffer.from('leave'))
    const ended = new Promise<void>((resolve, reject) => {
      fourth.transport!.join(fifth.transport!, { passed: () => {}, ended: resolve, failed: reject })
    })
    await ended
    await arrivals.reach(room + 4)
    expect(await standstill(() => arrivals.state.count)).toBe(room + 4)
    // It has never been otherwise since.
    expect(told).toHaveLength(1)
  })

  it('a dial fails with that, and leaves nothing', async () => {
    const opened: SocketDuplex[] = []
    const accept = (connection: SocketDuplex): void => void opened.push(connection)
    const listener = listen({ host: '127.0.0.1', port: 0 }, { accept })
    const { port } = (await listener.listening) as Address
    leave(16, () => {
      listener.close()
      for (const connection of opened) connection.abort(new Error('the test is over'))
    })
    let error: unknown
    while (error === undefined) {
      error = await dial()({ host: '127.0.0.1', port }).then(
        (connection) => void opened.push(connection as SocketDuplex),
        (reason: unknown) => reason
      )
    }
    expect(error).toMatchObject({ reply: 'general-failure', cause: { code: 'EMFILE', syscall: 'connect', port } })
    expect(await failureOf(listen({ host: '127.0.0.1', port: 0 }).listening)).toMatchObject({ code: 'EMFILE' })
  })
})

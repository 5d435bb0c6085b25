import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import type { SocketDuplex } from '@it-socks/net'
import { ClosedError, ConfigurationError } from '@it-socks/protocol'
import { failureOf } from '../../../test/support/duplex.ts'
import { standstill, uncaughtErrors } from '../../../test/support/process.ts'
import { socketPath } from '../../../test/support/sockets.ts'
import { describeEpoll, epoll } from './setup.ts'

const anyPort = { host: '127.0.0.1', port: 0 }

describeEpoll('listeners that share a port', () => {
  const { listen } = epoll

  it('are there both, and together take all who come', async () => {
    const news = new EventEmitter()
    const accepted: SocketDuplex[] = []
    const accept = (connection: SocketDuplex): void => {
      accepted.push(connection)
      connection.abort(new ClosedError())
      news.emit('news')
    }
    const first = listen(anyPort, { reusePort: true, accept })
    onTestFinished(() => first.close())
    const endpoint = await first.listening
    const second = listen(endpoint, { reusePort: true, accept })
    onTestFinished(() => second.close())
    expect(await second.listening).toEqual(endpoint)
    const alone = listen(endpoint)
    expect(await failureOf(alone.listening)).toMatchObject({ code: 'EADDRINUSE' })
    for (let clients = 0; clients < 16; clients++) {
      const socket = connect({ ...endpoint }).on('error', () => {})
      onTestFinished(() => void socket.destroy())
    }
    while (accepted.length < 16) await once(news, 'news')
  })

  it('are not on a unix socket', async () => {
    const { path } = await socketPath()
    expect(() => listen({ path }, { reusePort: true })).toThrow(ConfigurationError)
  })
})

describeEpoll('a unix socket', () => {
  // Node 20 listens at what is left of it, without a word.
  it('is refused a path that is too long', async () => {
    const path = `/tmp/${'x'.repeat(120)}`
    const { listening } = epoll.listen({ path })
    expect(await failureOf(listening)).toMatchObject({ code: 'ENAMETOOLONG', syscall: 'listen', address: path })
  })
})

describeEpoll('a batch of connections', () => {
  it('goes on where who accepts throws, which nobody catches', async () => {
    const errors = uncaughtErrors()
    const accepted: SocketDuplex[] = []
    const listener = epoll.listen(anyPort, {
      accept(connection) {
        accepted.push(connection)
        throw new Error(`not ${accepted.length}`)
      }
    })
    onTestFinished(() => {
      listener.close()
      for (const connection of accepted) connection.abort(new Error('the test is over'))
    })
    const endpoint = await listener.listening
    for (let count = 0; count < 3; count++) {
      const socket = connect({ ...endpoint }).on('error', () => {})
      onTestFinished(() => void socket.destroy())
    }
    await standstill(() => errors.length)
    expect(errors).toEqual([new Error('not 1'), new Error('not 2'), new Error('not 3')])
  })

  it('ends where the listener is closed by who accepts', async () => {
    const accepted: SocketDuplex[] = []
    const news = new EventEmitter()
    const listener = epoll.listen(anyPort, {
      accept(connection) {
        accepted.push(connection)
        listener.close()
        news.emit('news')
      }
    })
    onTestFinished(() => accepted.forEach((connection) => connection.abort(new Error('the test is over'))))
    const endpoint = await listener.listening
    for (let count = 0; count < 4; count++) {
      const socket = connect({ ...endpoint }).on('error', () => {})
      onTestFinished(() => void socket.destroy())
    }
    await once(news, 'news')
    await standstill(() => accepted.length)
    expect(accepted).toHaveLength(1)
  })
})

import { Server } from 'node:net'
import { constants } from 'node:os'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { listen, portable, sockets, type Endpoint, type ListenOptions, type SocketDuplex } from '@it-socks/net'
import { ConfigurationError } from '@it-socks/protocol'
import { take } from '../../../test/support/connected.ts'
import { failureOf, iterate, textOf } from '../../../test/support/duplex.ts'
import { countClosed, standstill, uncaughtErrors } from '../../../test/support/process.ts'
import { client } from '../../../test/support/sockets.ts'
import { checkReusePort } from '../src/reuse-port.ts'

const anyPort = { host: '127.0.0.1', port: 0 }

/** A listener that is closed when the test ends. */
const listening = async (options?: ListenOptions, at: Endpoint = anyPort, { listen } = portable) => {
  const listener = listen(at, options)
  onTestFinished(() => listener.close())
  const endpoint = await listener.listening
  return { listener, endpoint }
}

/** What a server calls when somebody comes, or cannot. */
const acceptedBy = (server: Server): ((status: number) => void) => {
  const { _handle: handle } = server as unknown as { _handle: { onconnection: (status: number) => void } }
  return (status) => handle.onconnection(status)
}

const connectAndLeave = `
  const { workerData: { flag, port } } = require('node:worker_threads')
  const socket = require('node:net').connect({ host: '127.0.0.1', port }, () => {
    socket.resetAndDestroy().on('close', () => {
      Atomics.store(flag, 0, 1)
      Atomics.notify(flag, 0)
    })
  })
`

/** Has somebody connect and reset that, and returns then: this thread has not been able to accept it meanwhile. */
const connectAndReset = ({ port }: { port: number }): void => {
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(connectAndLeave, { eval: true, workerData: { flag, port } })
  onTestFinished(async () => void (await worker.terminate()))
  Atomics.wait(flag, 0, 0)
}

// What every engine's `listen` does is in `test/engines`.
describe.each([portable, sockets])('listen of $name', (engine) => {
  const begin = (options?: ListenOptions, at?: Endpoint) => listening(options, at, engine)

  it('tells of a connection that could not be accepted, as Node does, and goes on', async () => {
    const begun = vi.spyOn(Server.prototype, 'listen')
    const told: Error[] = []
    const { listener, endpoint } = await begin({ onAcceptError: (error) => told.push(error) })
    const [server] = begun.mock.contexts as [Server]
    begun.mockRestore()
    await client(endpoint)
    await take(listener)
    // Nothing but a want of descriptors makes it happen by itself.
    acceptedBy(server)(-constants.errno.EMFILE)
    expect(told).toMatchObject([
      { message: 'accept EMFILE', code: 'EMFILE', errno: -constants.errno.EMFILE, syscall: 'accept' }
    ])
    const socket = await client(endpoint)
    expect((await take(listener)).remoteAddress?.port).toBe(socket.localPort)
  })

  it('hands nobody over who has reset his connection before it was accepted', async () => {
    const accepted: SocketDuplex[] = []
    let resolve!: () => void
    const come = new Promise<void>((follow) => {
      resolve = follow
    })
    const accept = (connection: SocketDuplex): void => {
      accepted.push(connection)
      resolve()
    }
    const { endpoint } = await begin({ accept })
    const closed = await countClosed()
    connectAndReset(endpoint as { port: number })
    const socket = await client(endpoint)
    await come
    expect(accepted.map(({ remoteAddress }) => remoteAddress?.port)).toEqual([socket.localPort])
    await closed(-2)
    for (const connection of accepted) connection.abort(new Error('the test is over'))
  })

  it('has what throws in `accept` thrown out of the event loop, and goes on', async () => {
    const error = new Error('a bug of somebody’s')
    const taken: SocketDuplex[] = []
    const accept = vi.fn<(connection: SocketDuplex) => void>((connection) => {
      taken.push(connection)
      if (taken.length === 1) throw error
    })
    const { endpoint } = await begin({ accept })
    const thrown = uncaughtErrors()
    const clients = [await client(endpoint), await client(endpoint)]
    await standstill(() => taken.length)
    expect(thrown).toEqual([error])
    expect(taken.map(({ remoteAddress }) => remoteAddress?.port)).toEqual(clients.map(({ localPort }) => localPort))
    for (const connection of taken) connection.abort(new Error('the test is over'))
  })

  it('may be closed in `accept`: who has come stays', async () => {
    let taken!: (connection: SocketDuplex) => void
    const connection = new Promise<SocketDuplex>((resolve) => {
      taken = resolve
    })
    const accept = (connection: SocketDuplex): void => {
      listener.close()
      taken(connection)
    }
    const { listener, endpoint } = await begin({ accept })
    const socket = await client(endpoint)
    socket.write('still here')
    const reader = iterate(await connection)
    expect(textOf(await reader.next())).toBe('still here')
    expect(await failureOf(client(endpoint))).toMatchObject({ code: 'ECONNREFUSED' })
    ;(await connection).abort(new Error('the test is over'))
  })
})

describe('reusePort', () => {
  const knows = isKnown()

  it.skipIf(!knows)('shares a port with others that do so, too', async () => {
    const first = await listening({ reusePort: true })
    const second = await listening({ reusePort: true }, first.endpoint)
    expect(second.endpoint).toEqual(first.endpoint)
    first.listener.close()
    const socket = await client(second.endpoint)
    expect((await take(second.listener)).remoteAddress?.port).toBe(socket.localPort)
  })

  it.skipIf(!knows)('does not share with one that does not', async () => {
    const { endpoint } = await listening()
    expect(await failureOf(listen(endpoint, { reusePort: true }).listening)).toMatchObject({ code: 'EADDRINUSE' })
  })

  it.skipIf(knows)('is refused where this release of Node would ignore it', () => {
    expect(() => listen(anyPort, { reusePort: true })).toThrow(ConfigurationError)
  })

  it('is refused on a unix socket', () => {
    expect(() => listen({ path: '/nowhere' }, { reusePort: true })).toThrow('a unix socket cannot be shared')
  })

  it.each(['20.19.0', '22.11.0', '23.0.0'])('needs a later release than %s', (version) => {
    const message = `reusePort needs Node 22.12, 23.1 or later; this is ${version}`
    expect(() => checkReusePort(false, version)).toThrow(new ConfigurationError(message))
  })

  it.each(['22.12.0', '22.20.1', '23.1.0', '24.0.0', '26.1.0'])('is known to %s', (version) => {
    expect(() => checkReusePort(false, version)).not.toThrow()
  })
})

function isKnown(): boolean {
  try {
    checkReusePort(false)
    return true
  } catch {
    return false
  }
}

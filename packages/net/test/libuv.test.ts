import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { all, say } from '../../../test/support/duplex.ts'
import { hearText, portOf, serving, socketPath } from '../../../test/support/sockets.ts'
import { libuv } from '../src/handle/libuv.ts'

type Binding = (name: string) => object

const node = process as unknown as { binding: Binding | undefined }
const { binding } = node as { binding: Binding }

afterEach(() => {
  node.binding = binding
  vi.resetModules()
})

const tcp = binding('tcp_wrap') as { readonly TCP: { readonly prototype: object } }

/** What there is of TCP, but for one method. */
const without = (method: string): Binding => {
  const TCP = { prototype: Object.create(tcp.TCP.prototype, { [method]: { value: undefined } }) as object }
  return instead('tcp_wrap', { TCP })
}

/** What there is, but for some of it. */
const instead =
  (of: string, changes: object): Binding =>
  (name) =>
    name === of ? { ...binding(name), ...changes } : binding(name)

const unknown: ReadonlyArray<readonly [string, Binding | undefined]> = [
  ['is not there', undefined],
  [
    'throws',
    () => {
      throw Object.assign(new Error('Access to this API has been restricted'), { code: 'ERR_ACCESS_DENIED' })
    }
  ],
  ['knows no such names', () => ({})],
  ['has no constants', instead('tcp_wrap', { constants: undefined })],
  ['does not say how much has come', instead('stream_wrap', { streamBaseState: undefined })],
  ['says it in another place', instead('stream_wrap', { kReadBytesOrError: undefined })],
  ['says it in a place that is not there', instead('stream_wrap', { kLastWriteWasAsync: 1000 })],
  ...['useUserBuffer', 'writeBuffer', 'shutdown', 'reset', 'getpeername'].map(
    (method) => [`has no ${method}`, without(method)] as const
  )
]

it('is what this release of Node has', () => {
  expect(libuv).toBeDefined()
})

describe.each(unknown)('where `process.binding` %s', (_, found) => {
  const load = async () => {
    vi.resetModules()
    node.binding = found
    return import('../src/index.ts')
  }

  it('nothing is made of it', async () => {
    await load()
    const { libuv } = await import('../src/handle/libuv.ts')
    expect(libuv).toBeUndefined()
  })

  it('dials all the same, on sockets', async () => {
    const { dial } = await load()
    const server = await serving({ host: '127.0.0.1' })
    const accepted = once(server, 'connection')
    const tunnel = await dial()({ host: '127.0.0.1', port: portOf(server) })
    expect(tunnel.transport).toBeUndefined()
    const [target] = (await accepted) as [Socket]
    const heard = hearText(target)
    await tunnel.sink(say(Buffer.from('question')))
    expect(await heard).toBe('question')
    target.end('answer')
    expect((await all(tunnel.source)).toString()).toBe('answer')
  })

  it.each([
    ['TCP', async () => ({ host: '127.0.0.1', port: 0 })],
    ['unix', socketPath]
  ])('listens all the same, on sockets: %s', async (_, where) => {
    const { listen } = await load()
    const listener = listen(await where())
    const socket = connect({ ...(await listener.listening), allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    const { value: connection } = await listener[Symbol.asyncIterator]().next()
    listener.close()
    expect(connection.transport).toBeUndefined()
    const heard = hearText(socket)
    socket.end('question')
    expect((await all(connection.source)).toString()).toBe('question')
    await connection.sink(say(Buffer.from('answer')))
    expect(await heard).toBe('answer')
  })

  it('binds all the same, on sockets', async () => {
    const { binder } = await load()
    const binding = await binder()()
    const socket = connect(binding.address).on('error', () => {})
    onTestFinished(() => void socket.destroy())
    for await (const connection of binding.connections) {
      expect(connection.transport).toBeUndefined()
      connection.abort?.(new Error('enough'))
      break
    }
  })
})

import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { binder, datagramBinder, dial, listen, portable, sockets, type Engine, type SocketDuplex } from '@it-socks/net'
import type { ByteDuplex } from '@it-socks/stage'
import { all, say } from '../../../test/support/duplex.ts'
import { portOf, serving } from '../../../test/support/sockets.ts'

const loopback = { host: '127.0.0.1', port: 0 }

it('the portable engine is this package, and joins by what transports know themselves', () => {
  expect(portable).toEqual({ name: 'portable', listen, dial, binder, datagramBinder })
  expect(portable.join).toBeUndefined()
})

it('the engine of sockets joins nothing, and has the same datagrams', () => {
  expect(sockets.name).toBe('sockets')
  expect(sockets.join).toBeUndefined()
  expect(sockets.datagramBinder).toBe(datagramBinder)
})

const dialled = async ({ dial }: Engine): Promise<ByteDuplex> => {
  const server = await serving(loopback)
  return dial()({ ...loopback, port: portOf(server) })
}

const accepted = async ({ listen }: Engine): Promise<ByteDuplex> => {
  const listener = listen(loopback)
  const { value } = await comingTo((await listener.listening) as typeof loopback, listener)
  listener.close()
  return value
}

const bound = async ({ binder }: Engine): Promise<ByteDuplex> => {
  const binding = await binder()()
  const { value } = await comingTo(binding.address, binding.connections)
  binding.close()
  return value as ByteDuplex
}

const comingTo = async (
  to: { host: string; port: number },
  connections: AsyncIterable<ByteDuplex>
): Promise<IteratorResult<ByteDuplex>> => {
  const peer = connect({ ...to, allowHalfOpen: true }).on('error', () => {})
  onTestFinished(() => void peer.destroy())
  const [result] = await Promise.all([connections[Symbol.asyncIterator]().next(), once(peer, 'connect')])
  return result
}

describe.each([
  ['dialled', dialled],
  ['accepted', accepted],
  ['bound', bound]
] as const)('a connection that is %s', (_, open) => {
  it.each([portable, sockets])('has a transport where there is more than sockets: $name', async (engine) => {
    const connection = await open(engine)
    expect(connection.transport?.duplex).toBe(engine === portable ? connection : undefined)
    connection.abort?.(new Error('enough'))
  })
})

it('the engine of sockets dials by what it is told to, too', async () => {
  const opened: SocketDuplex = { source: say() as AsyncIterable<Uint8Array>, sink: async () => {}, abort: () => {} }
  const tunnel = await sockets.dial({ open: async () => opened })({ host: '192.0.2.1', port: 80 })
  expect(tunnel).toBe(opened)
})

it('two connections of different engines understand each other', async () => {
  const listener = sockets.listen(loopback)
  const [one, { value: other }] = await Promise.all([
    listener.listening.then((at) => portable.dial()(at as typeof loopback)),
    listener[Symbol.asyncIterator]().next() as Promise<IteratorYieldResult<SocketDuplex>>
  ])
  listener.close()
  const heard = all(other.source)
  await Promise.all([one.sink(say(Buffer.from('question'))), heard])
  await other.sink(say(Buffer.from('answer')))
  expect([String(await heard), String(await all(one.source))]).toEqual(['question', 'answer'])
})

import { setImmediate as quiet } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { RefusedError, type Address } from '@it-socks/protocol'
import { hex, memoryDatagrams } from '@it-socks/testing'

const nobody = (): void => {}

describe('memoryDatagrams', () => {
  it('carries datagrams between sockets, in order, with where they come from', async () => {
    const network = memoryDatagrams()
    const [near, far] = [network.bind('192.0.2.1', 53), network.bind('192.0.2.2')]
    far.send(hex`01`, near.localAddress)
    far.send(hex`02`, near.localAddress)
    expect(await near.receive()).toEqual({ data: hex`01`, from: far.localAddress })
    expect(await near.receive()).toEqual({ data: hex`02`, from: far.localAddress })
    const later = far.receive()
    near.send(hex``, far.localAddress)
    expect(await later).toEqual({ data: hex``, from: { host: '192.0.2.1', port: 53 } })
  })

  it('copies what is sent: nobody sees what becomes of it afterwards', async () => {
    const network = memoryDatagrams()
    const [near, far] = [network.bind('192.0.2.1'), network.bind('192.0.2.2')]
    const data = hex`01 02`
    near.send(data, far.localAddress)
    data.fill(9)
    expect((await far.receive()).data).toEqual(hex`01 02`)
  })

  it('loses what goes to nobody', async () => {
    const network = memoryDatagrams()
    const [near, far] = [network.bind('192.0.2.1'), network.bind('192.0.2.2', 53)]
    near.send(hex`01`, { host: '192.0.2.2', port: 54 })
    far.close()
    near.send(hex`02`, { host: '192.0.2.2', port: 53 })
    await quiet()
    expect(far.inbox).toEqual([])
  })

  it('has one socket at a place', () => {
    const network = memoryDatagrams()
    const first = network.bind('192.0.2.1', 53)
    expect(() => network.bind('192.0.2.1', 53)).toThrow(RefusedError)
    first.close()
    expect(network.bind('192.0.2.1', 53).localAddress).toEqual({ host: '192.0.2.1', port: 53 })
  })

  it('throws for what is sent on a closed socket', () => {
    const network = memoryDatagrams()
    const socket = network.bind('192.0.2.1')
    socket.close()
    socket.close()
    expect(() => socket.send(hex`01`, { host: '192.0.2.2', port: 53 })).toThrow('sent on a closed socket')
  })
})

describe('the binder of memoryDatagrams', () => {
  it('binds where it is told to, and says which of its sockets are open', async () => {
    const network = memoryDatagrams()
    const heard: Array<[Uint8Array, Address]> = []
    const socket = await network.binder({ host: '192.0.2.1', received: (...datagram) => heard.push(datagram) })
    const peer = network.bind('192.0.2.2')
    peer.send(hex`01`, socket.localAddress)
    await quiet()
    expect(heard).toEqual([[hex`01`, peer.localAddress]])
    expect(network.open()).toEqual([socket.localAddress])
    socket.close()
    expect(network.open()).toEqual([])
  })

  it('closes its socket with the signal, and opens none after it', async () => {
    const network = memoryDatagrams()
    const owner = new AbortController()
    const options = { host: '192.0.2.1', received: nobody, signal: owner.signal }
    await network.binder(options)
    const reason = new Error('over')
    owner.abort(reason)
    expect(network.open()).toEqual([])
    await expect(network.binder(options)).rejects.toBe(reason)
  })

  it.each([
    { host: '0.0.0.0', from: '203.0.113.1', to: '192.0.2.2' },
    { host: '::', from: '2001:db8:ffff::1', to: '2001:db8::2' }
  ])('sends from an address of its own where it is bound to $host', async ({ host, from, to }) => {
    const network = memoryDatagrams()
    const heard: Uint8Array[] = []
    const socket = await network.binder({ host, received: (data) => heard.push(data) })
    const peer = network.bind(to)
    socket.send(hex`01`, peer.localAddress)
    expect((await peer.receive()).from).toEqual({ host: from, port: socket.localAddress.port })
    peer.send(hex`02`, { host: from, port: socket.localAddress.port })
    await quiet()
    expect(heard).toEqual([hex`02`])
  })

  it.each([
    { what: 'another family', from: '192.0.2.1', to: '2001:db8::2', length: 1 },
    { what: 'beyond loopback, from loopback', from: '127.0.0.1', to: '192.0.2.2', length: 1 },
    { what: 'more than IPv4 carries', from: '192.0.2.1', to: '192.0.2.2', length: 65_508 },
    { what: 'more than IPv6 carries', from: '2001:db8::1', to: '2001:db8::2', length: 65_528 }
  ])('does not send: $what', async ({ from, to, length }) => {
    const network = memoryDatagrams()
    const dropped: Error[] = []
    const socket = await network.binder({ host: from, received: nobody, dropped: (error) => dropped.push(error) })
    const peer = network.bind(to, 53)
    socket.send(new Uint8Array(length), peer.localAddress)
    await quiet()
    expect(dropped.length).toBe(1)
    expect(peer.inbox).toEqual([])
  })
})

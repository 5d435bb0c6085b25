import { afterEach, describe, expect, it, vi } from 'vitest'
import { hex } from '@it-socks/testing'
import { associate } from './udp-setup.ts'

const question = hex`${'question'}`
const answer = hex`${'answer'}`
/** A header to, or from, 198.51.100.9:53. */
const nine = hex`0000 00 01 c6336409 0035`

afterEach(() => {
  vi.useRealTimers()
})

describe('the datagrams of an association', () => {
  it('go to the target from the relay’s own address, and come back with the target’s in front', async () => {
    const { network, client, bound, tunnel } = await associate()
    const target = network.bind('198.51.100.9', 53)

    client.send(hex`${nine} ${question}`, bound)
    expect(await target.receive()).toEqual({ data: question, from: bound })
    target.send(answer, bound)
    expect(await client.receive()).toEqual({ data: hex`${nine} ${answer}`, from: bound })
    expect(tunnel.localAddress).toEqual(bound)
  })

  it('go back and forth without data', async () => {
    const { network, client, bound } = await associate()
    const target = network.bind('198.51.100.9', 53)
    client.send(nine, bound)
    expect(await target.receive()).toEqual({ data: hex``, from: bound })
    target.send(hex``, bound)
    expect(await client.receive()).toEqual({ data: nine, from: bound })
  })

  it('come from any peer at any port: a full cone', async () => {
    const { network, client, bound } = await associate()
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${nine} ${question}`, bound)
    await target.receive()

    network.bind('198.51.100.9', 54).send(answer, bound)
    expect((await client.receive()).data).toEqual(hex`0000 00 01 c6336409 0036 ${answer}`)
    network.bind('203.0.113.200', 9).send(answer, bound)
    expect((await client.receive()).data).toEqual(hex`0000 00 01 cb0071c8 0009 ${answer}`)
  })

  it('have the right peer in front, of however many are remembered', async () => {
    const { network, client, bound } = await associate({ maxPeers: 1 })
    client.send(hex`${nine} ${question}`, bound)
    const peers = [53, 54, 55].map((port) => network.bind('198.51.100.9', port))
    for (const peer of [...peers, ...peers, ...peers]) {
      peer.send(answer, bound)
      const { port } = peer.localAddress
      expect((await client.receive()).data).toEqual(hex`0000 00 01 c6336409 ${Uint8Array.of(0, port)} ${answer}`)
    }
  })

  it('keep the order of those to one target', async () => {
    const { network, client, bound } = await associate()
    const target = network.bind('198.51.100.9', 53)
    const numbers = Array.from({ length: 200 }, (_, index) => index)
    for (const number of numbers) client.send(hex`${nine} ${Uint8Array.of(number)}`, bound)
    for (const number of numbers) expect((await target.receive()).data).toEqual(Uint8Array.of(number))
  })

  it('are counted by the bytes of their data, as the traffic of the relay', async () => {
    const { network, client, bound, traffic, leave, ended } = await associate()
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${nine} ${question}`, bound)
    await target.receive()
    target.send(answer, bound)
    await client.receive()
    leave()
    expect(await ended).toBe('closed')
    expect(traffic).toEqual({ up: question.length, down: answer.length })
  })

  it('carry as much as UDP does: what fits with its header passes whole, and one byte more is dropped', async () => {
    const { network, client, bound, dropped } = await associate()
    const target = network.bind('198.51.100.9', 53)
    const most = 65_507 - nine.length

    client.send(hex`${nine} ${new Uint8Array(most).fill(7)}`, bound)
    expect((await target.receive()).data).toEqual(new Uint8Array(most).fill(7))
    target.send(new Uint8Array(most + 1), bound)
    target.send(new Uint8Array(65_507), bound)
    target.send(new Uint8Array(most).fill(8), bound)
    expect((await client.receive()).data).toEqual(hex`${nine} ${new Uint8Array(most).fill(8)}`)
    expect(dropped()).toEqual({ 'too-large': 2 })
  })
})

describe('the client of an association', () => {
  it('may send from the port that it named only; another port of its host is a peer’s', async () => {
    const { network, client, bound, dropped } = await associate({ destination: { host: '0.0.0.0', port: 49_153 } })
    const target = network.bind('198.51.100.9', 53)
    expect(client.localAddress.port, 'the port that the client named').toBe(49_153)
    const other = network.bind('192.0.2.7', 5000)

    other.send(hex`${nine} ${'mine?'}`, bound)
    expect((await client.receive()).data).toEqual(hex`0000 00 01 c0000207 1388 ${nine} ${'mine?'}`)
    client.send(hex`${nine} ${question}`, bound)
    expect((await target.receive()).data).toEqual(question)
    expect(dropped()).toEqual({})
  })

  it('is pinned to the port that it used first', async () => {
    const { network, client, bound } = await associate()
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${nine} ${'first'}`, bound)
    expect((await target.receive()).data).toEqual(hex`${'first'}`)

    network.bind('192.0.2.7', 5000).send(hex`${nine} ${'second'}`, bound)
    expect((await client.receive()).data).toEqual(hex`0000 00 01 c0000207 1388 ${nine} ${'second'}`)
    client.send(hex`${nine} ${'third'}`, bound)
    expect((await target.receive()).data).toEqual(hex`${'third'}`)
  })

  it('is not pinned to a port by what has no header', async () => {
    const { network, client, bound, dropped } = await associate()
    const target = network.bind('198.51.100.9', 53)
    network.bind('192.0.2.7', 5000).send(hex`${'GET / HTTP/1.1'}`, bound)
    client.send(hex`${nine} ${question}`, bound)
    expect((await target.receive()).data).toEqual(question)
    expect(dropped()).toEqual({ malformed: 1 })
  })

  it('gets nothing from strangers before its port is known, and they get nothing sent', async () => {
    const { network, client, bound, dropped } = await associate()
    const target = network.bind('198.51.100.9', 53)
    const stranger = network.bind('203.0.113.200', 9)
    stranger.send(hex`${nine} ${'let me in'}`, bound)
    client.send(hex`${nine} ${question}`, bound)
    expect((await target.receive()).data).toEqual(question)
    expect(dropped()).toEqual({ stranger: 1 })
    expect(client.inbox).toEqual([])
  })

  it('that names the relay’s own port does not make it talk to itself', async () => {
    const { network, client, bound, dropped } = await associate({
      serverHost: '127.0.0.1',
      clientHost: '127.0.0.1',
      destination: { host: '0.0.0.0', port: 49_152 }
    })
    expect(bound.port, 'the port that the client named').toBe(49_152)
    const target = network.bind('127.0.0.9', 53)
    target.send(answer, bound)
    client.send(hex`0000 00 01 7f000009 0035 ${question}`, bound)
    expect(await target.receive()).toEqual({ data: question, from: bound })
    target.send(answer, bound)
    expect(await client.receive()).toEqual({ data: hex`0000 00 01 7f000009 0035 ${answer}`, from: bound })
    expect(dropped()).toEqual({ stranger: 1 })
  })

  it('gets what comes to the port that it named before it has sent anything', async () => {
    const { network, client, bound } = await associate({ destination: { host: '192.0.2.7', port: 49_153 } })
    network.bind('203.0.113.200', 9).send(answer, bound)
    expect((await client.receive()).data).toEqual(hex`0000 00 01 cb0071c8 0009 ${answer}`)
  })

  it.each([
    ['nothing', hex``],
    ['a header that is cut short', nine.subarray(0, -1)],
    ['RSV that is not zero', hex`0001 00 01 c6336409 0035 ${question}`],
    ['an ATYP of 2', hex`0000 00 02 c6336409 0035 ${question}`],
    ['an empty domain', hex`0000 00 03 00 0035 ${question}`],
    ['a domain with a line feed', hex`0000 00 03 02 610a 0035 ${question}`],
    ['port 0', hex`0000 00 01 c6336409 0000 ${question}`]
  ])('is not answered for %s', async (_, datagram) => {
    const { network, client, bound, dropped } = await associate()
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${nine} ${'before'}`, bound)
    client.send(datagram, bound)
    client.send(hex`${nine} ${'behind'}`, bound)
    expect((await target.receive()).data).toEqual(hex`${'before'}`)
    expect((await target.receive()).data).toEqual(hex`${'behind'}`)
    expect(dropped()).toEqual({ malformed: 1 })
    expect(client.inbox).toEqual([])
  })
})

describe('the fragments of an association', () => {
  const first = hex`0000 01 01 c6336409 0035`
  const second = hex`0000 02 01 c6336409 0035`
  const third = hex`0000 83 01 c6336409 0035`

  it('are put together for the target', async () => {
    const { network, client, bound, dropped } = await associate()
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${first} ${'a'}`, bound)
    client.send(hex`${second} ${'b'}`, bound)
    client.send(hex`${third} ${'c'}`, bound)
    expect(await target.receive()).toEqual({ data: hex`${'abc'}`, from: bound })
    expect(dropped()).toEqual({})
  })

  it('are dropped out of order, and a datagram that stands alone passes at once', async () => {
    const { network, client, bound, dropped } = await associate()
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${first} ${'a'}`, bound)
    client.send(hex`${third} ${'c'}`, bound)
    client.send(hex`${second} ${'b'}`, bound)
    client.send(hex`${nine} ${question}`, bound)
    expect((await target.receive()).data).toEqual(question)
    expect(dropped()).toEqual({ fragment: 3 })
  })

  it('are dropped beyond the limit', async () => {
    const { network, client, bound, dropped } = await associate({ reassemblyLimit: 3 })
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${first} ${'ab'}`, bound)
    client.send(hex`${second} ${'cd'}`, bound)
    client.send(hex`${nine} ${question}`, bound)
    expect((await target.receive()).data).toEqual(question)
    expect(dropped()).toEqual({ fragment: 2 })
  })

  it('that are not all there in time are dropped', async () => {
    vi.useFakeTimers()
    const { client, bound, dropped, leave, ended } = await associate()
    client.send(hex`${first} ${'a'}`, bound)
    await vi.advanceTimersByTimeAsync(4999)
    expect(dropped()).toEqual({})
    await vi.advanceTimersByTimeAsync(1)
    expect(dropped()).toEqual({ fragment: 1 })
    leave()
    expect(await ended).toBe('closed')
  })

  it('leave no timer behind where the association ends first', async () => {
    vi.useFakeTimers()
    const { client, bound, dropped, leave, ended } = await associate()
    client.send(hex`${first} ${'a'}`, bound)
    await vi.advanceTimersByTimeAsync(1)
    expect(vi.getTimerCount()).toBe(1)
    leave()
    expect(await ended).toBe('closed')
    expect(vi.getTimerCount()).toBe(0)
    expect(dropped()).toEqual({})
  })
})

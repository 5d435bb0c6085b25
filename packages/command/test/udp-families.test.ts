import { setImmediate as quiet } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { DatagramBinder, DatagramSocket } from '@it-socks/stage'
import { hex, type MemoryDatagrams } from '@it-socks/testing'
import { associate } from './udp-setup.ts'

const four = hex`0000 00 01 c6336409 0035`
const six = hex`0000 00 04 20010db8000000000000000000000009 0035`
const local = hex`0000 00 01 7f000035 0035`

const hosts = (network: MemoryDatagrams): string[] => network.open().map(({ host }) => host)

/** Opens further sockets when the test says so. */
const reluctant = () => {
  const asked: string[] = []
  const waiting: Array<{ open: () => void; fail: () => void }> = []
  let further: DatagramSocket | undefined
  const binder =
    ({ binder }: MemoryDatagrams): DatagramBinder =>
    (options) => {
      asked.push(options.host)
      if (asked.length === 1) return binder(options)
      const { signal: _, ...deaf } = options
      return new Promise((resolve, reject) => {
        const open = async (): Promise<void> => {
          further = await binder(deaf)
          resolve(further)
        }
        waiting.push({ open: () => void open(), fail: () => reject(new Error('no such family')) })
      })
    }
  return { binder, asked, open: () => waiting.shift()!.open(), fail: () => waiting.shift()!.fail() }
}

describe('the targets of one association', () => {
  it('may be IPv4 and IPv6; answers of both come from where the client sends to', async () => {
    const { network, client, bound } = await associate()
    const [near, far] = [network.bind('198.51.100.9', 53), network.bind('2001:db8::9', 53)]
    client.send(hex`${four} ${'1'}`, bound)
    client.send(hex`${six} ${'2'}`, bound)

    const [first, second] = [await near.receive(), await far.receive()]
    expect([first.from, first.data]).toEqual([bound, hex`${'1'}`])
    expect([second.from.host, second.data]).toEqual(['2001:db8:ffff::1', hex`${'2'}`])
    near.send(hex`${'one'}`, first.from)
    expect(await client.receive()).toEqual({ data: hex`${four} ${'one'}`, from: bound })
    far.send(hex`${'two'}`, second.from)
    expect(await client.receive()).toEqual({ data: hex`${six} ${'two'}`, from: bound })
    expect(hosts(network)).toEqual(['192.0.2.1', '::'])
  })

  it('may be IPv4 for a client on IPv6', async () => {
    const { network, client, bound } = await associate({ serverHost: '2001:db8::1', clientHost: '2001:db8::7' })
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${four} ${'question'}`, bound)
    const { data, from } = await target.receive()
    expect([data, from.host]).toEqual([hex`${'question'}`, '203.0.113.1'])
    target.send(hex`${'answer'}`, from)
    expect((await client.receive()).data).toEqual(hex`${four} ${'answer'}`)
    expect(hosts(network)).toEqual(['2001:db8::1', '0.0.0.0'])
  })

  it('may be beyond loopback for a client on loopback', async () => {
    const { network, client, bound } = await associate({ serverHost: '127.0.0.1', clientHost: '127.0.0.1' })
    const [near, far] = [network.bind('127.0.0.53', 53), network.bind('198.51.100.9', 53)]
    client.send(hex`${local} ${'near'}`, bound)
    expect((await near.receive()).from).toEqual(bound)
    expect(hosts(network)).toEqual(['127.0.0.1'])

    client.send(hex`${four} ${'far'}`, bound)
    const { from } = await far.receive()
    far.send(hex`${'answer'}`, from)
    expect((await client.receive()).data).toEqual(hex`${four} ${'answer'}`)
    expect(hosts(network)).toEqual(['127.0.0.1', '0.0.0.0'])
  })

  it('may be beyond the link for a client on a link-local address', async () => {
    const { network, client, bound } = await associate({ serverHost: 'fe80::1', clientHost: 'fe80::7' })
    const [near, far] = [network.bind('fe80::9', 53), network.bind('2001:db8::9', 53)]
    client.send(hex`0000 00 04 fe800000000000000000000000000009 0035`, bound)
    expect((await near.receive()).from).toEqual(bound)
    client.send(hex`${six} ${'far'}`, bound)
    expect((await far.receive()).from.host).toBe('2001:db8:ffff::1')
  })

  it('hold as much as their own family does', async () => {
    const { network, client, bound, dropped } = await associate({ serverHost: '::1', clientHost: '::1' })
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${four} ${new Uint8Array(65_508)}`, bound)
    client.send(hex`${four} ${new Uint8Array(65_507)}`, bound)
    expect((await target.receive()).data.length).toBe(65_507)
    expect(dropped()).toEqual({ 'too-large': 1 })
  })
})

describe('a further socket', () => {
  it('takes nothing for the client’s, not even what looks like it', async () => {
    const { network, client, bound } = await associate({ serverHost: '2001:db8::1', clientHost: '2001:db8::7' })
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${four} ${'question'}`, bound)
    const { from } = await target.receive()
    network.bind('198.51.100.10', 53).send(hex`${four} ${'let me out'}`, from)
    expect((await client.receive()).data).toEqual(hex`0000 00 01 c633640a 0035 ${four} ${'let me out'}`)
    expect(target.inbox).toEqual([])
  })

  it('is opened once a family, and what waits for it keeps its order', async () => {
    const { binder, asked, open } = reluctant()
    const { network, client, bound, traffic } = await associate({ binder })
    const [target, near] = [network.bind('2001:db8::9', 53), network.bind('198.51.100.9', 53)]
    for (const word of ['1', '2']) client.send(hex`${six} ${word}`, bound)
    client.send(hex`${four} ${'at once'}`, bound)
    await near.receive()
    await quiet()
    expect(traffic).toEqual({ up: 'at once'.length, down: 0 })
    open()
    client.send(hex`${six} ${'3'}`, bound)
    for (const word of ['1', '2', '3']) expect((await target.receive()).data).toEqual(hex`${word}`)
    expect(asked).toEqual(['192.0.2.1', '::'])
  })

  it('has a bounded number of datagrams wait for it', async () => {
    const { binder, open } = reluctant()
    const { network, client, bound, dropped } = await associate({ binder, maxWaiting: 2 })
    const target = network.bind('2001:db8::9', 53)
    for (const word of ['1', '2', '3']) client.send(hex`${six} ${word}`, bound)
    await quiet()
    expect(dropped()).toEqual({ congested: 1 })
    open()
    for (const word of ['1', '2']) expect((await target.receive()).data).toEqual(hex`${word}`)
    client.send(hex`${six} ${'4'}`, bound)
    expect((await target.receive()).data).toEqual(hex`${'4'}`)
  })

  it('that cannot be opened drops what waits for it, and is tried again', async () => {
    const { binder, asked, open, fail } = reluctant()
    const { network, client, bound, dropped } = await associate({ binder })
    const target = network.bind('2001:db8::9', 53)
    for (const word of ['1', '2']) client.send(hex`${six} ${word}`, bound)
    await quiet()
    fail()
    await quiet()
    expect(dropped()).toEqual({ unsent: 2 })
    client.send(hex`${six} ${'3'}`, bound)
    await quiet()
    open()
    expect((await target.receive()).data).toEqual(hex`${'3'}`)
    expect(asked).toEqual(['192.0.2.1', '::', '::'])
  })

  it('that opens when the association has ended is closed', async () => {
    const { binder, open } = reluctant()
    const { network, client, bound, leave, ended } = await associate({ binder })
    const target = network.bind('2001:db8::9', 53)
    client.send(hex`${six} ${'1'}`, bound)
    await quiet()
    leave()
    expect(await ended).toBe('closed')
    open()
    await quiet()
    expect(network.open()).toEqual([])
    expect(target.inbox).toEqual([])
  })

  it('closes with the association', async () => {
    const { network, client, bound, leave, ended } = await associate()
    const target = network.bind('2001:db8::9', 53)
    client.send(hex`${six} ${'1'}`, bound)
    await target.receive()
    expect(hosts(network)).toEqual(['192.0.2.1', '::'])
    leave()
    expect(await ended).toBe('closed')
    expect(network.open()).toEqual([])
  })
})

it('a datagram that the system does not send is counted', async () => {
  const { client, bound, dropped } = await associate({
    binder:
      ({ binder }) =>
      async (options) => ({
        ...(await binder(options)),
        send: () => options.dropped?.(new Error('ENOBUFS'))
      })
  })
  client.send(hex`${four} ${'question'}`, bound)
  await quiet()
  expect(dropped()).toEqual({ unsent: 1 })
})

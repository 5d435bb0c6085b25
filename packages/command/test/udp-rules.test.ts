import { setImmediate as quiet } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { RefusedError, formatAddress } from '@it-socks/protocol'
import type { Permit } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { associate } from './udp-setup.ts'

const nine = hex`0000 00 01 c6336409 0035`
const ten = hex`0000 00 01 c633640a 0035`
const dns = hex`0000 00 03 0b ${'dns.example'} 0035`

/** Refuses what is not permitted, and notes what it was asked about. */
const permitting = (isPermitted: (host: string, name?: string) => boolean) => {
  const asked: string[] = []
  const permit: Permit = (address, name) => {
    asked.push([formatAddress(address), ...(name === undefined ? [] : [name])].join(' for '))
    if (!isPermitted(address.host, name)) throw new RefusedError('not-allowed')
  }
  return { permit, asked }
}

describe('rules', () => {
  it('are asked about each datagram before it is sent; one that is refused is dropped and not answered', async () => {
    const { permit, asked } = permitting((host) => host !== '198.51.100.10')
    const { network, client, bound, dropped, traffic } = await associate({ permit })
    const [target, other] = [network.bind('198.51.100.9', 53), network.bind('198.51.100.10', 53)]
    client.send(hex`${ten} ${'refused'}`, bound)
    client.send(hex`${nine} ${'1'}`, bound)
    client.send(hex`${nine} ${'2'}`, bound)
    expect((await target.receive()).data).toEqual(hex`${'1'}`)
    expect((await target.receive()).data).toEqual(hex`${'2'}`)
    expect(asked).toEqual(['198.51.100.10:53', '198.51.100.9:53', '198.51.100.9:53'])
    expect([other.inbox, client.inbox]).toEqual([[], []])
    expect(dropped()).toEqual({ 'not-allowed': 1 })
    await quiet()
    expect(traffic).toEqual({ up: 2, down: 0 })
  })

  it('may change their mind during an association', async () => {
    let open = true
    const { permit } = permitting(() => open)
    const { network, client, bound, dropped } = await associate({ permit })
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${nine} ${'1'}`, bound)
    await target.receive()
    open = false
    client.send(hex`${nine} ${'2'}`, bound)
    target.send(hex`${'answer'}`, bound)
    await quiet()
    expect([target.inbox, client.inbox]).toEqual([[], []])
    expect(dropped()).toEqual({ 'not-allowed': 2 })
  })

  it('are asked about the addresses of a name, and the first that is permitted is the one', async () => {
    const { permit, asked } = permitting((host) => host === '198.51.100.10')
    const resolve = async () => ['127.0.0.1', '198.51.100.10', '198.51.100.9']
    const { network, client, bound, dropped } = await associate({ permit, resolve })
    const target = network.bind('198.51.100.10', 53)
    client.send(hex`${dns} ${'question'}`, bound)
    expect((await target.receive()).data).toEqual(hex`${'question'}`)
    expect(asked).toEqual(['127.0.0.1:53 for dns.example', '198.51.100.10:53 for dns.example'])
    expect(dropped()).toEqual({})
  })

  it('refuse a name of which no address is permitted', async () => {
    const { permit } = permitting(() => false)
    const { client, bound, dropped } = await associate({ permit, resolve: async () => ['127.0.0.1', '::1'] })
    client.send(hex`${dns} ${'question'}`, bound)
    await quiet()
    expect(dropped()).toEqual({ 'not-allowed': 1 })
  })

  it('are asked about peers, too', async () => {
    const { permit } = permitting((host) => host === '198.51.100.9')
    const { network, client, bound, dropped } = await associate({ permit })
    const [target, stranger] = [network.bind('198.51.100.9', 53), network.bind('198.51.100.10', 53)]
    client.send(hex`${nine} ${'question'}`, bound)
    await target.receive()
    stranger.send(hex`${'let me in'}`, bound)
    target.send(hex`${'answer'}`, bound)
    expect((await client.receive()).data).toEqual(hex`${nine} ${'answer'}`)
    expect(dropped()).toEqual({ 'not-allowed': 1 })
  })

  it('that permit a name permit the answers of its host', async () => {
    const { permit, asked } = permitting((_, name) => name === 'dns.example')
    const { network, client, bound, dropped } = await associate({ permit, resolve: async () => ['198.51.100.9'] })
    const [target, stranger] = [network.bind('198.51.100.9', 53), network.bind('198.51.100.10', 53)]
    client.send(hex`${dns} ${'question'}`, bound)
    await target.receive()
    stranger.send(hex`${'let me in'}`, bound)
    target.send(hex`${'answer'}`, bound)
    expect((await client.receive()).data).toEqual(hex`${nine} ${'answer'}`)
    expect(asked).toEqual(['198.51.100.9:53 for dns.example', '198.51.100.10:53', '198.51.100.9:53 for dns.example'])
    expect(dropped()).toEqual({ 'not-allowed': 1 })
  })

  it('that permit a name permit what its host says from another port, as TFTP does', async () => {
    const { permit } = permitting((_, name) => name === 'dns.example')
    const { network, client, bound, dropped } = await associate({ permit, resolve: async () => ['198.51.100.9'] })
    const [target, other] = [network.bind('198.51.100.9', 53), network.bind('198.51.100.9', 5000)]
    client.send(hex`${dns} ${'question'}`, bound)
    await target.receive()
    other.send(hex`${'answer'}`, bound)
    expect((await client.receive()).data).toEqual(hex`0000 00 01 c6336409 1388 ${'answer'}`)
    expect(dropped()).toEqual({})
  })

  it('refuse where they fail', async () => {
    const permit: Permit = () => {
      throw new TypeError('not a function')
    }
    const { client, bound, dropped } = await associate({ permit })
    client.send(hex`${nine} ${'question'}`, bound)
    await quiet()
    expect(dropped()).toEqual({ 'not-allowed': 1 })
  })
})

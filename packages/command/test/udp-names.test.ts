import { setImmediate as quiet } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { UnresolvableError } from '@it-socks/protocol'
import type { Resolve } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { associate } from './udp-setup.ts'

const dns = hex`0000 00 03 0b ${'dns.example'} 0035`
const nine = hex`0000 00 01 c6336409 0035`

/** A resolver that answers when the test says so. */
const held = () => {
  const asked: string[] = []
  const waiting: Array<{ resolve: (ips: readonly string[]) => void; reject: (error: unknown) => void }> = []
  const signals: AbortSignal[] = []
  const resolve: Resolve = (host, { signal } = {}) => {
    asked.push(host)
    if (signal !== undefined) signals.push(signal)
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  }
  return {
    resolve,
    asked,
    signals,
    answer: (...ips: string[]) => waiting.shift()!.resolve(ips),
    fail: () => waiting.shift()!.reject(new UnresolvableError('dns.example'))
  }
}

/** A resolver that answers at once, by the table, and notes what it was asked for. */
const table = (names: Readonly<Record<string, readonly string[]>>) => {
  const asked: string[] = []
  const resolve: Resolve = async (host) => {
    asked.push(host)
    const ips = names[host]
    if (ips === undefined) throw new UnresolvableError(host)
    return ips
  }
  return { resolve, asked }
}

describe('names in datagrams', () => {
  it('are resolved once an association', async () => {
    const { resolve, asked } = table({ 'dns.example': ['198.51.100.9'] })
    const { network, client, bound } = await associate({ resolve })
    const target = network.bind('198.51.100.9', 53)
    for (const word of ['one', 'two', 'three']) {
      client.send(hex`${dns} ${word}`, bound)
      expect(await target.receive()).toEqual({ data: hex`${word}`, from: bound })
    }
    expect(asked).toEqual(['dns.example'])
  })

  it('are answered for by the peer’s real address', async () => {
    const { resolve } = table({ 'dns.example': ['198.51.100.9'] })
    const { network, client, bound } = await associate({ resolve })
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${dns} ${'question'}`, bound)
    await target.receive()
    target.send(hex`${'answer'}`, bound)
    expect((await client.receive()).data).toEqual(hex`${nine} ${'answer'}`)
  })

  it('that spell an IP address are never resolved', async () => {
    const { network, client, bound } = await associate()
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`0000 00 03 0c ${'198.51.100.9'} 0035 ${'question'}`, bound)
    expect((await target.receive()).data).toEqual(hex`${'question'}`)
  })

  it('stand beside IPv4 in one association', async () => {
    const { resolve } = table({ 'dns.example': ['198.51.100.10'] })
    const { network, client, bound } = await associate({ resolve })
    const [one, other] = [network.bind('198.51.100.9', 53), network.bind('198.51.100.10', 53)]
    client.send(hex`${nine} ${'by address'}`, bound)
    client.send(hex`${dns} ${'by name'}`, bound)
    expect((await one.receive()).data).toEqual(hex`${'by address'}`)
    expect((await other.receive()).data).toEqual(hex`${'by name'}`)
  })

  it('are resolved once for all that wait for it, which keep their order, and hold up nobody else', async () => {
    const { resolve, asked, answer } = held()
    const { network, client, bound } = await associate({ resolve })
    const [target, other] = [network.bind('198.51.100.10', 53), network.bind('198.51.100.9', 53)]
    client.send(hex`${dns} ${'1'}`, bound)
    client.send(hex`${dns} ${'2'}`, bound)
    client.send(hex`${nine} ${'at once'}`, bound)
    expect((await other.receive()).data).toEqual(hex`${'at once'}`)
    expect(target.inbox).toEqual([])

    answer('198.51.100.10')
    client.send(hex`${dns} ${'3'}`, bound)
    for (const word of ['1', '2', '3']) expect((await target.receive()).data).toEqual(hex`${word}`)
    expect(asked).toEqual(['dns.example'])
  })

  it('that cannot be resolved are asked for again by the next datagram', async () => {
    const { resolve, asked, answer, fail } = held()
    const { network, client, bound, dropped } = await associate({ resolve })
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${dns} ${'1'}`, bound)
    client.send(hex`${dns} ${'2'}`, bound)
    await quiet()
    fail()
    await quiet()
    expect(dropped()).toEqual({ unresolvable: 2 })

    client.send(hex`${dns} ${'3'}`, bound)
    await quiet()
    answer('198.51.100.9')
    expect((await target.receive()).data).toEqual(hex`${'3'}`)
    expect(asked).toEqual(['dns.example', 'dns.example'])
    expect(dropped()).toEqual({ unresolvable: 2 })
  })

  it.each([
    ['no address', []],
    ['another name, which nobody checks', ['localhost']]
  ])('that are resolved to %s are none', async (_, ips) => {
    const { resolve } = table({ 'dns.example': ips })
    const { client, bound, dropped } = await associate({ resolve })
    client.send(hex`${dns} ${'question'}`, bound)
    await quiet()
    expect(dropped()).toEqual({ unresolvable: 1 })
  })

  it('are dropped where the resolver throws at once', async () => {
    const resolve: Resolve = () => {
      throw new TypeError('not a function')
    }
    const { client, bound, dropped } = await associate({ resolve })
    client.send(hex`${dns} ${'question'}`, bound)
    await quiet()
    expect(dropped()).toEqual({ unresolvable: 1 })
  })

  it('are remembered up to a bound: the one that was not used for longest is forgotten', async () => {
    const { resolve, asked } = table({ a: ['198.51.100.9'], b: ['198.51.100.9'], c: ['198.51.100.9'] })
    const { network, client, bound } = await associate({ resolve, maxNames: 2 })
    const target = network.bind('198.51.100.9', 53)
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) {
      client.send(hex`0000 00 03 01 ${name} 0035 ${name}`, bound)
      expect((await target.receive()).data).toEqual(hex`${name}`)
    }
    expect(asked).toEqual(['a', 'b', 'c', 'b'])
  })
})

describe('datagrams that wait for a name', () => {
  it('are 64 at most, over all names', async () => {
    const { resolve, answer } = held()
    const { network, client, bound, dropped } = await associate({ resolve })
    const target = network.bind('198.51.100.9', 53)
    for (let number = 0; number < 70; number++) client.send(hex`${dns} ${Uint8Array.of(number)}`, bound)
    client.send(hex`0000 00 03 05 ${'other'} 0035`, bound)
    await quiet()
    expect(dropped()).toEqual({ congested: 7 })

    answer('198.51.100.9')
    await quiet()
    expect(target.inbox.map(({ data }) => data[0])).toEqual(Array.from({ length: 64 }, (_, number) => number))

    client.send(hex`0000 00 03 05 ${'other'} 0035`, bound)
    await quiet()
    expect(dropped(), 'there is room again').toEqual({ congested: 7 })
  })

  it('are 256 KiB at most', async () => {
    const { resolve, asked } = held()
    const { client, bound, dropped } = await associate({ resolve })
    for (let number = 0; number < 5; number++) client.send(hex`${dns} ${new Uint8Array(65_000)}`, bound)
    await quiet()
    expect(dropped()).toEqual({ congested: 1 })
    expect(asked).toEqual(['dns.example'])
  })

  it('are as many as it was told to, and a lookup that fails makes room', async () => {
    const { resolve, fail } = held()
    const { client, bound, dropped } = await associate({ resolve, maxWaiting: 1, maxWaitingBytes: 3 })
    client.send(hex`${dns} ${'four'}`, bound)
    client.send(hex`${dns} ${'one'}`, bound)
    client.send(hex`${dns} ${'2'}`, bound)
    await quiet()
    expect(dropped()).toEqual({ congested: 2 })
    fail()
    await quiet()
    client.send(hex`${dns} ${'two'}`, bound)
    await quiet()
    expect(dropped()).toEqual({ congested: 2, unresolvable: 1 })
  })

  it('are not sent any more where the association has ended, and the lookup is told to give up', async () => {
    const { resolve, signals, answer } = held()
    const { network, client, bound, dropped, leave, ended } = await associate({ resolve })
    const target = network.bind('198.51.100.9', 53)
    client.send(hex`${dns} ${'question'}`, bound)
    await quiet()
    leave()
    expect(await ended).toBe('closed')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    answer('198.51.100.9')
    await quiet()
    expect(target.inbox).toEqual([])
    expect(dropped()).toEqual({})
  })
})

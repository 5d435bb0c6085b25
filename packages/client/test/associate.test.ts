import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  ClosedError,
  ConfigurationError,
  EmptyNameError,
  InvalidAddressError,
  MalformedError,
  ProxyClosedError,
  RefusedError,
  TooLongError,
  UnresolvableError
} from '@it-socks/protocol'
import { associate, type Association, type Received } from '@it-socks/client'
import type { Resolve } from '@it-socks/stage'
import { hex, memoryDatagrams, server, toHex, type Line } from '@it-socks/testing'
import { associating, scriptedAssociation } from './scripted-association.ts'
import { scriptedProxy } from './scripted-proxy.ts'

const asked = associating.slice(0, 3)

/** The next datagram that comes, without leaving the loop. */
const next = async ({ source }: Association): Promise<Received | undefined> => {
  const { done, value } = await source[Symbol.asyncIterator]().next()
  return done === true ? undefined : value
}

const textOf = ({ data }: Received): string => new TextDecoder().decode(data)

describe('an association', () => {
  it('sends with a header and receives without, whoever the peer is', async () => {
    const { association, relay } = await scriptedAssociation()
    await association.send(hex`${'to a v4 address'}`, '192.0.2.9:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035 ${'to a v4 address'}`))
    await association.send(hex`${'to a v6 address'}`, { host: '2001:db8::9', port: 53 })
    expect(await relay.heard()).toBe(toHex(hex`0000 00 04 20010db8000000000000000000000009 0035 ${'to a v6 address'}`))
    await association.send(hex`${'to a name'}`, 'example.com:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 03 0b ${'example.com'} 0035 ${'to a name'}`))

    relay.say(hex`0000 00 01 c0000209 0035 ${'from a v4 address'}`)
    relay.say(hex`0000 00 04 20010db8000000000000000000000009 0035 ${'from a v6 address'}`)
    relay.say(hex`0000 00 03 0b ${'example.com'} 0035 ${'from a name'}`)
    const came = [await next(association), await next(association), await next(association)]
    expect(came.map((datagram) => [datagram!.from, textOf(datagram!)])).toEqual([
      [{ host: '192.0.2.9', port: 53 }, 'from a v4 address'],
      [{ host: '2001:db8::9', port: 53 }, 'from a v6 address'],
      [{ host: 'example.com', port: 53 }, 'from a name']
    ])
    association.close()
  })

  it('carries nothing, and all that UDP can carry', async () => {
    const { association, relay } = await scriptedAssociation()
    await association.send(new Uint8Array(), '192.0.2.9:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035`))
    const most = new Uint8Array(65_507 - 10).fill(7)
    await association.send(most, '192.0.2.9:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035 ${most}`))

    relay.say(hex`0000 00 01 c0000209 0035`)
    relay.say(hex`0000 00 01 c0000209 0035 ${most}`)
    expect((await next(association))?.data).toEqual(new Uint8Array())
    expect((await next(association))?.data.length).toBe(65_497)
    association.close()
  })

  it('is at the address from which the proxy was reached, and knows the relay', async () => {
    const { association } = await scriptedAssociation()
    expect(association.localAddress).toEqual({ host: '127.0.0.1', port: 49_152 })
    expect(association.relay).toEqual({ host: '127.0.0.1', port: 6000 })
    association.close()
  })

  it.each([
    { said: '0.0.0.0', reply: server`05 00 00 01 00000000 1770` },
    { said: '::', reply: server`05 00 00 04 00000000000000000000000000000000 1770` },
    { said: 'the name 0', reply: server`05 00 00 03 01 ${'0'} 1770` },
    { said: 'its name', reply: server`05 00 00 03 09 ${'localhost'} 1770` }
  ])('finds the relay of a proxy that says $said', async ({ reply }) => {
    const names: Resolve = async (host) => [host === '0' ? '0.0.0.0' : '127.0.0.1']
    const { association, relay } = await scriptedAssociation({ script: [...asked, reply], settings: { names } })
    expect(association.relay).toEqual({ host: '127.0.0.1', port: 6000 })
    await association.send(hex`${'hello'}`, '192.0.2.9:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035 ${'hello'}`))
    association.close()
  })

  it.each([
    { relay: 'beyond loopback', reply: server`05 00 00 01 c0000209 1770`, host: '0.0.0.0' },
    { relay: 'of the other family', reply: server`05 00 00 04 20010db8000000000000000000000009 1770`, host: '::' }
  ])('takes any address of ours to a relay $relay', async ({ reply, host }) => {
    const { association } = await scriptedAssociation({ script: [...asked, reply] })
    expect(association.localAddress.host).toBe(host)
    association.close()
  })

  it('resolves names here where it is to, once each, and tells the proxy addresses', async () => {
    const lookups: string[] = []
    const names: Resolve = async (host) => {
      lookups.push(host)
      return ['192.0.2.9']
    }
    const { association, relay } = await scriptedAssociation({ settings: { names } })
    for (const _ of ['once', 'again']) {
      await association.send(hex`${'hello'}`, 'example.com:53')
      expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035 ${'hello'}`))
    }
    expect(lookups).toEqual(['example.com'])
    association.close()
  })

  it('looks a name up again after it could not be found', async () => {
    let found: string[] = []
    const { association, relay } = await scriptedAssociation({ settings: { names: async () => found } })
    await expect(association.send(hex`01`, 'example.com:53')).rejects.toThrow(UnresolvableError)
    found = ['192.0.2.9']
    await association.send(hex`02`, 'example.com:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035 02`))
    association.close()
  })

  it('remembers no more than 256 names', async () => {
    const lookups: string[] = []
    const names: Resolve = async (host) => {
      lookups.push(host)
      return ['192.0.2.9']
    }
    const { association } = await scriptedAssociation({ settings: { names } })
    for (let index = 0; index <= 256; index++) await association.send(hex`01`, `name-${index}:53`)
    await association.send(hex`01`, 'name-256:53')
    expect(lookups.length).toBe(257)
    await association.send(hex`01`, 'name-0:53')
    expect(lookups.length).toBe(258)
    association.close()
  })

  it('sends fragments where it is told to, and only of what is longer', async () => {
    const { association, relay } = await scriptedAssociation({ fragmentSize: 3 })
    await association.send(hex`01 02 03`, '192.0.2.9:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035 01 02 03`))
    await association.send(hex`01 02 03 04 05 06 07`, '192.0.2.9:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 01 01 c0000209 0035 01 02 03`))
    expect(await relay.heard()).toBe(toHex(hex`0000 02 01 c0000209 0035 04 05 06`))
    expect(await relay.heard()).toBe(toHex(hex`0000 83 01 c0000209 0035 07`))
    association.close()
  })

  it('puts fragments together that come, and counts those that do not fit', async () => {
    const { association, relay } = await scriptedAssociation()
    relay.say(hex`0000 01 01 c0000209 0035 ${'he'}`)
    relay.say(hex`0000 82 01 c0000209 0035 ${'llo'}`)
    expect(textOf((await next(association))!)).toBe('hello')
    relay.say(hex`0000 02 01 c0000209 0035 ${'llo'}`)
    relay.say(hex`0000 00 01 c0000209 0035 ${'whole'}`)
    expect(textOf((await next(association))!)).toBe('whole')
    expect(association.dropped).toMatchObject({ fragment: 1 })
    association.close()
  })
})

describe('an association drops and counts', () => {
  it('what does not come from exactly the relay', async () => {
    const { association, network, relay } = await scriptedAssociation()
    for (const stranger of [network.bind('127.0.0.1', 6001), network.bind('127.0.0.2', 6000)]) {
      stranger.send(hex`0000 00 01 c0000209 0035 ${'forged'}`, association.localAddress)
    }
    relay.say(hex`0000 00 01 c0000209 0035 ${'genuine'}`)
    expect(textOf((await next(association))!)).toBe('genuine')
    expect(association.dropped).toMatchObject({ stranger: 2 })
    association.close()
  })

  it('what has no header that can be read', async () => {
    const { association, relay } = await scriptedAssociation()
    relay.say(hex`0000 00 01 c00002`)
    relay.say(hex`0001 00 01 c0000209 0035`)
    relay.say(hex`0000 00 02 c0000209 0035`)
    relay.say(hex`0000 00 01 c0000209 0035 ${'readable'}`)
    expect(textOf((await next(association))!)).toBe('readable')
    expect(association.dropped).toMatchObject({ malformed: 3 })
    association.close()
  })

  it.each([
    { limit: 'datagrams', options: { maxQueued: 2 } },
    { limit: 'bytes', options: { maxQueuedBytes: 9 } }
  ])('what nobody reads in time, the last first: so many $limit wait', async ({ options }) => {
    const { association, proxy, relay } = await scriptedAssociation(options)
    for (const text of ['one', 'two', 'three', 'four']) relay.say(hex`0000 00 01 c0000209 0035 ${text}`)
    // Datagrams arrive a microtask later.
    await Promise.resolve()
    expect(association.dropped).toMatchObject({ congested: 2 })
    expect(textOf((await next(association))!)).toBe('one')
    expect(textOf((await next(association))!)).toBe('two')
    relay.say(hex`0000 00 01 c0000209 0035 ${'room'}`)
    expect(textOf((await next(association))!)).toBe('room')
    association.close()
    await proxy.gone
  })

  it('what the system does not send', async () => {
    const script = [...asked, server`05 00 00 01 c0000209 1770`]
    const network = memoryDatagrams()
    const { url } = await scriptedProxy(script)
    const association = await associate({
      proxy: url,
      binder: async ({ dropped, ...options }) => {
        const socket = await network.binder(options)
        return { ...socket, send: () => dropped?.(new Error('ENETUNREACH')) }
      }
    })
    await association.send(hex`01`, '192.0.2.9:53')
    expect(association.dropped).toEqual({ stranger: 0, malformed: 0, fragment: 0, congested: 0, unsent: 1 })
    association.close()
  })
})

describe('an association does not send', () => {
  const tooMuch = new Uint8Array(65_507 - 9)

  it.each([
    { what: 'what UDP cannot carry', data: tooMuch, to: '192.0.2.9:53', error: TooLongError },
    { what: 'to what is no address', data: hex`01`, to: '192.0.2.9', error: InvalidAddressError },
    { what: 'to no host', data: hex`01`, to: { host: '', port: 53 }, error: EmptyNameError },
    { what: 'to no port', data: hex`01`, to: { host: '192.0.2.9', port: 70_000 }, error: InvalidAddressError },
    { what: 'to a name too long', data: hex`01`, to: { host: 'x'.repeat(256), port: 53 }, error: TooLongError }
  ])('$what', async ({ data, to, error }) => {
    const { association, relay } = await scriptedAssociation()
    await expect(association.send(data, to)).rejects.toThrow(error)
    await association.send(hex`02`, '192.0.2.9:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035 02`))
    association.close()
  })

  it('more than 127 fragments hold, nor half of them', async () => {
    const { association, relay } = await scriptedAssociation({ fragmentSize: 2 })
    await expect(association.send(new Uint8Array(255), '192.0.2.9:53')).rejects.toThrow(TooLongError)
    await association.send(hex`02`, '192.0.2.9:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035 02`))
    association.close()
  })
})

describe('an association ends', () => {
  it('with close: the loop ends, the socket and the connection are closed', async () => {
    const { association, network, proxy, relay } = await scriptedAssociation()
    relay.say(hex`0000 00 01 c0000209 0035 ${'the last'}`)
    await Promise.resolve()
    association.close()
    expect(network.open()).toEqual([])
    const heard: string[] = []
    for await (const datagram of association.source) heard.push(textOf(datagram))
    expect(heard).toEqual(['the last'])
    await expect(association.send(hex`01`, '192.0.2.9:53')).rejects.toThrow(ClosedError)
    await proxy.gone
  })

  it('with close while somebody waits', async () => {
    const { association, network, proxy } = await scriptedAssociation()
    const waiting = next(association)
    association.close()
    association.close(new Error('too late'))
    expect(await waiting).toBeUndefined()
    expect(network.open()).toEqual([])
    await proxy.gone
  })

  it('with close for a reason: the loop and whoever sends are told', async () => {
    const { association, network, proxy } = await scriptedAssociation()
    const reason = new Error('out of order')
    const waiting = next(association)
    association.close(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(association.send(hex`01`, '192.0.2.9:53')).rejects.toBe(reason)
    expect(network.open()).toEqual([])
    await proxy.gone
  })

  it('with the loop that is left', async () => {
    const { association, network, proxy, relay } = await scriptedAssociation()
    relay.say(hex`0000 00 01 c0000209 0035 ${'enough'}`)
    relay.say(hex`0000 00 01 c0000209 0035 ${'too much'}`)
    for await (const datagram of association.source) {
      expect(textOf(datagram)).toBe('enough')
      break
    }
    expect(network.open()).toEqual([])
    await proxy.gone
  })

  it.each(['end', 'reset'] as const)(
    'with its connection to the proxy (%s): that is the proxy’s failure',
    async (last) => {
      const { association, network, proxy } = await scriptedAssociation({ finally: last })
      await expect(next(association)).rejects.toThrow(ProxyClosedError)
      await expect(association.send(hex`01`, '192.0.2.9:53')).rejects.toThrow('the proxy ended the association')
      expect(network.open()).toEqual([])
      await proxy.gone
    }
  )

  it('while a name is being looked up: nothing is sent any more', async () => {
    let cancelled: AbortSignal | undefined
    const names: Resolve = (_, { signal } = {}) => {
      cancelled = signal
      return new Promise(() => {})
    }
    const { association } = await scriptedAssociation({ settings: { names } })
    const sending = association.send(hex`01`, 'example.com:53')
    association.close()
    await expect(sending).rejects.toThrow(ClosedError)
    expect(cancelled?.aborted).toBe(true)
  })

  it('leaves no timer of a fragment behind', async () => {
    const { association, relay } = await scriptedAssociation()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    relay.say(hex`0000 01 01 c0000209 0035 ${'half'}`)
    await Promise.resolve()
    expect(vi.getTimerCount()).toBe(1)
    association.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('not with what the proxy says on the connection: that is read away', async () => {
    const noise = new Uint8Array(1_000_000).fill(7)
    const script = [...associating, server`${noise}`]
    const { association, proxy } = await scriptedAssociation({ script, finally: 'end' })
    await expect(next(association)).rejects.toThrow(ProxyClosedError)
    await proxy.gone
  })

  it('not with the signal that was for associating', async () => {
    const owner = new AbortController()
    const { association, relay } = await scriptedAssociation({ signal: owner.signal, timeout: Infinity })
    owner.abort()
    await association.send(hex`01`, '192.0.2.9:53')
    expect(await relay.heard()).toBe(toHex(hex`0000 00 01 c0000209 0035 01`))
    association.close()
  })
})

describe('associate, where there is no association', () => {
  const opened = async (script: readonly Line[], binder = memoryDatagrams().binder) => {
    const proxy = await scriptedProxy(script)
    return { proxy, associating: associate({ proxy: proxy.url, binder }) }
  }

  it('tells by name that the proxy does not do it', async () => {
    const { proxy, associating } = await opened([...asked, server`05 07 00 01 00000000 0000`])
    await expect(associating).rejects.toMatchObject({ name: 'RefusedError', reply: 'command-not-supported' })
    await proxy.gone
  })

  it('tells of a relay that is nowhere', async () => {
    const { proxy, associating } = await opened([...asked, server`05 00 00 01 7f000001 0000`])
    await expect(associating).rejects.toThrow(MalformedError)
    await proxy.gone
  })

  it('tells that there is no socket to be had, and keeps no connection', async () => {
    const { proxy, associating: asking } = await opened(associating, async () => {
      throw new RefusedError('general-failure', { message: 'no port is free' })
    })
    await expect(asking).rejects.toThrow('no port is free')
    await proxy.gone
  })

  it('leaves nothing open where it is given up while the proxy owes its reply', async () => {
    const network = memoryDatagrams()
    const proxy = await scriptedProxy(asked)
    const owner = new AbortController()
    const reason = new Error('changed my mind')
    const asking = associate({ proxy: proxy.url, binder: network.binder, signal: owner.signal })
    void proxy.played.then(() => owner.abort(reason))
    await expect(asking).rejects.toBe(reason)
    await proxy.gone
    expect(network.open()).toEqual([])
  })

  it('leaves nothing open where it is given up while the socket opens', async () => {
    const network = memoryDatagrams()
    const proxy = await scriptedProxy(associating)
    const owner = new AbortController()
    const reason = new Error('changed my mind')
    const asking = associate({
      proxy: proxy.url,
      signal: owner.signal,
      binder: async ({ host, received }) => {
        const socket = await network.binder({ host, received })
        owner.abort(reason)
        return socket
      }
    })
    await expect(asking).rejects.toBe(reason)
    await proxy.gone
    expect(network.open()).toEqual([])
  })

  it('takes no longer than its timeout', async () => {
    const proxy = await scriptedProxy(asked)
    const asking = associate({ proxy: proxy.url, binder: memoryDatagrams().binder, timeout: 20 })
    await expect(asking).rejects.toThrow('associating with the proxy took longer than 20 ms')
    await proxy.gone
  })

  it.each([
    { what: 'SOCKS4, which has no UDP', options: { version: 4 as const }, error: /SOCKS4 has no UDP ASSOCIATE/ },
    { what: 'a queue of no number', options: { maxQueued: Number.NaN }, error: /maxQueued is a number above zero/ },
    { what: 'a queue of no bytes', options: { maxQueuedBytes: 0 }, error: /maxQueuedBytes is a number above zero/ },
    { what: 'fragments of nothing', options: { fragmentSize: 0 }, error: /size of a fragment/ },
    { what: 'an impatient reassembly', options: { reassemblyTimeout: 100 }, error: /reassembly timer/ }
  ])('does not so much as dial the proxy for $what', async ({ options, error }) => {
    const proxy = await scriptedProxy([])
    const { host, port } = proxy
    const asking = associate({ proxy: { host, port, ...options }, ...options })
    await expect(asking).rejects.toThrow(ConfigurationError)
    await expect(asking).rejects.toThrow(error)
    expect(proxy.clients()).toBe(0)
  })
})

import { getEventListeners, once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ConfigurationError, RefusedError, UnresolvableError } from '@it-socks/protocol'
import { cancellation, type Resolve, type ResolveOptions } from '@it-socks/stage'
import { all, failureOf, say } from '../support/duplex.ts'
import { freePort } from '../support/port.ts'
import { descriptors, openDescriptors, openResources } from '../support/process.ts'
import { hearText, portOf, serving, silentPort } from '../support/sockets.ts'
import { engines } from './engines.ts'

afterEach(() => {
  vi.useRealTimers()
})

const loopback = { host: '127.0.0.1' }

/** A `Resolve` that knows these addresses for every name. */
const table =
  (...addresses: string[]) =>
  async (): Promise<string[]> =>
    addresses

/** What the system says to a link-local address that it cannot reach, with IPv6 and without. */
const noWay = /^E(?:INVAL|NETUNREACH|ADDRNOTAVAIL|AFNOSUPPORT)$/

describe.each(engines)('dial of $name', ({ engine: { dial } }) => {
  it('opens a tunnel to an address, and knows both ends of it', async () => {
    const server = await serving(loopback)
    const accepted = once(server, 'connection')
    const destination = { ...loopback, port: portOf(server) }
    const tunnel = await dial()(destination)
    const [target] = (await accepted) as [Socket]
    expect(tunnel.remoteAddress).toEqual(destination)
    expect(tunnel.localAddress).toEqual({ ...loopback, port: target.remotePort })

    // Half-close is real, both ways.
    const [heard] = await Promise.all([hearText(target), tunnel.sink(say(Buffer.from('question')))])
    expect(heard).toBe('question')
    target.end('answer')
    expect((await all(tunnel.source)).toString()).toBe('answer')
  })

  it('says that nobody listens there, and keeps the system’s error', async () => {
    const port = await freePort()
    const error = await failureOf(dial()({ ...loopback, port }))
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({
      reply: 'connection-refused',
      code: 'ERR_SOCKS_CONNECTION_REFUSED',
      message: `cannot reach 127.0.0.1:${port}: ECONNREFUSED`,
      cause: { code: 'ECONNREFUSED', syscall: 'connect', port }
    })
  })

  it.each([
    ['the resolver’s own error', () => Promise.reject(new UnresolvableError('nowhere.invalid'))],
    ['an answer without addresses', table()],
    ['an answer without addresses of the family', table('::1')]
  ])('says that a name has no address: %s', async (_, resolve) => {
    const error = await failureOf(dial({ resolve, family: 4 })({ host: 'nowhere.invalid', port: 80 }))
    expect(error).toEqual(new UnresolvableError('nowhere.invalid'))
  })

  it('dials no name that a resolver answers with: it would be looked up once more', async () => {
    const error = await failureOf(dial({ resolve: table('localhost') })({ host: 'name', port: 80 }))
    expect(error).toEqual(new UnresolvableError('name'))
  })

  it('is not made for a local address that is none', () => {
    expect(() => dial({ localAddress: 'nonsense' })).toThrow(ConfigurationError)
  })

  it('says that there is no way to a link-local address by an interface that has none', async () => {
    const host = 'fe80::1%lo'
    const error = await failureOf(dial()({ host, port: 9 }))
    expect(error).toMatchObject({ name: 'RefusedError', cause: { syscall: 'connect', address: host, port: 9 } })
    expect((error as { cause: { code: string } }).cause.code).toMatch(noWay)
  })

  it('says that it cannot dial from an address that is not of this machine', async () => {
    const port = await freePort()
    const error = await failureOf(dial({ localAddress: '203.0.113.1' })({ ...loopback, port }))
    expect(error).toMatchObject({ reply: 'network-unreachable', cause: { code: 'EADDRNOTAVAIL', syscall: 'bind' } })
  })

  it('goes on to the next address when one fails', async () => {
    const server = await serving(loopback)
    const resolve = table('127.0.0.2', '127.0.0.3', '127.0.0.1')
    const tunnel = await dial({ resolve, attemptDelay: Infinity })({ host: 'name', port: portOf(server) })
    expect(tunnel.remoteAddress?.host).toBe('127.0.0.1')
    tunnel.abort?.(new Error('enough'))
  })

  it('reports the preferred address where all fail', async () => {
    const port = await freePort()
    const error = await failureOf(dial({ resolve: table('127.0.0.3', '127.0.0.2') })({ host: 'name', port }))
    expect(error).toMatchObject({ reply: 'connection-refused', cause: { address: '127.0.0.3' } })
  })

  it('asks for one family, and takes no other', async () => {
    const server = await serving(loopback)
    const asked: Array<ResolveOptions | undefined> = []
    const resolve = async (_: string, options?: ResolveOptions): Promise<string[]> => {
      asked.push(options)
      return ['::1', '127.0.0.1']
    }
    const tunnel = await dial({ resolve, family: 4, attemptDelay: Infinity })({ host: 'name', port: portOf(server) })
    expect(tunnel.remoteAddress?.host).toBe('127.0.0.1')
    expect(asked).toMatchObject([{ family: 4 }])
    tunnel.abort?.(new Error('enough'))
  })

  it('says that an address is not of the family that it may dial', async () => {
    const error = await failureOf(dial({ family: 4 })({ host: '::1', port: 80 }))
    expect(error).toMatchObject({
      name: 'RefusedError',
      reply: 'address-type-not-supported',
      message: '::1 is not of the family that is dialled'
    })
  })

  // An attempt on the other family fails before it starts, and would be reported in place of the real failure.
  it('tries only addresses of the family of its local address', async () => {
    const port = await freePort()
    const resolve = table('::1', '127.0.0.1')
    const error = await failureOf(dial({ resolve, localAddress: '127.0.0.2' })({ host: 'name', port }))
    expect(error).toMatchObject({ reply: 'connection-refused', cause: { address: '127.0.0.1' } })
  })

  it('dials from the local address it was given', async () => {
    const server = await serving(loopback)
    const accepted = once(server, 'connection')
    const tunnel = await dial({ localAddress: '127.0.0.2' })({ ...loopback, port: portOf(server) })
    const [target] = (await accepted) as [Socket]
    expect(target.remoteAddress).toBe('127.0.0.2')
    expect(tunnel.localAddress?.host).toBe('127.0.0.2')
    tunnel.abort?.(new Error('enough'))
  })
})

describe.each(engines)('permit, where $name dials', ({ engine: { dial } }) => {
  const refusal = (ip: string): RefusedError => new RefusedError('not-allowed', { message: `not ${ip}` })

  /** Permits these addresses alone, and keeps what it was asked about. */
  const only = (...permitted: string[]) => {
    const asked: string[] = []
    const permit = (ip: string): void => {
      asked.push(ip)
      if (!permitted.includes(ip)) throw refusal(ip)
    }
    return { asked, permit }
  }

  it('is asked about every address of a name that is resolved once, and those that it permits are dialled', async () => {
    const server = await serving(loopback)
    const resolve = vi.fn<Resolve>(table('127.0.0.2', '127.0.0.1', '127.0.0.3'))
    const { asked, permit } = only('127.0.0.1')
    const tunnel = await dial({ resolve })({ host: 'name', port: portOf(server) }, { permit })
    expect(tunnel.remoteAddress?.host).toBe('127.0.0.1')
    expect(asked).toEqual(['127.0.0.2', '127.0.0.1', '127.0.0.3'])
    expect(resolve).toHaveBeenCalledOnce()
    tunnel.abort?.(new Error('enough'))
  })

  // One address that would connect at once, had it been dialled after all.
  it('keeps addresses from being dialled also where those that are permitted fail', async () => {
    const port = await freePort()
    const forbidden = await serving({ host: '127.0.0.2', port })
    const accepted = vi.fn<() => void>()
    forbidden.on('connection', accepted)
    const { permit } = only('127.0.0.1', '127.0.0.3')
    const resolve = table('127.0.0.2', '127.0.0.3', '127.0.0.1')
    const error = await failureOf(dial({ resolve })({ host: 'name', port }, { permit }))
    expect(error).toMatchObject({ reply: 'connection-refused', cause: { address: '127.0.0.3' } })
    expect(accepted).not.toHaveBeenCalled()
  })

  it('fails the dial with what it threw first where it permits nothing, and no socket is opened', async () => {
    const before = openResources()
    const { permit } = only()
    const dialled = dial({ resolve: table('127.0.0.2', '127.0.0.1') })({ host: 'name', port: 9 }, { permit })
    expect(await failureOf(dialled)).toEqual(refusal('127.0.0.2'))
    expect(openResources()).toBe(before)
  })

  it('is asked about an address that is the destination', async () => {
    const { asked, permit } = only()
    expect(await failureOf(dial()({ host: '::1', port: 9 }, { permit }))).toEqual(refusal('::1'))
    expect(asked).toEqual(['::1'])
  })

  // Linux reaches 127.0.0.1 by ::ffff:127.0.0.1, which no rule on 127.0.0.0/8 would match.
  it.each([
    ['the destination', '::ffff:127.0.0.1', table()],
    ['an answer', 'name', table('::ffff:7f00:1')]
  ])('is asked about IPv4 mapped into IPv6 as IPv4: %s', async (_, host, resolve) => {
    const { asked, permit } = only()
    expect(await failureOf(dial({ resolve })({ host, port: 9 }, { permit }))).toEqual(refusal('127.0.0.1'))
    expect(asked).toEqual(['127.0.0.1'])
  })
})

const never = (): Promise<never> => new Promise(() => {})

describe.each(engines)('the time limit of a dial of $name', ({ engine: { dial } }) => {
  it('holds while the name is looked up, and leaves nothing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const owner = new AbortController()
    const dialled = failureOf(
      dial({ resolve: never, timeout: 5000 })({ host: 'name', port: 80 }, { signal: owner.signal })
    )
    await vi.advanceTimersByTimeAsync(5000)
    expect(await dialled).toEqual(
      new RefusedError('ttl-expired', { message: 'cannot reach name:80: no answer in 5000 ms' })
    )
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it('holds while nobody answers, and leaves no socket', async () => {
    const port = await silentPort()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const before = openResources()
    const dialled = failureOf(dial({ timeout: 5000 })({ ...loopback, port }))
    await turn()
    expect(openResources()).toBeGreaterThan(before)
    await vi.advanceTimersByTimeAsync(5000)
    expect(await dialled).toMatchObject({ name: 'RefusedError', reply: 'ttl-expired' })
    await turn()
    expect(openResources()).toBe(before)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each(['comes through', 'fails'])('leaves no timer where the dial %s', async (how) => {
    const port = how === 'fails' ? await freePort() : portOf(await serving(loopback))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [outcome] = await Promise.allSettled([dial()({ ...loopback, port })])
    expect(outcome.status).toBe(how === 'fails' ? 'rejected' : 'fulfilled')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is passed on to the resolver, as a signal', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const given: AbortSignal[] = []
    const resolve = (_: string, { signal }: ResolveOptions = {}): Promise<never> => {
      if (signal !== undefined) given.push(signal)
      return never()
    }
    const dialled = failureOf(dial({ resolve, timeout: 100 })({ host: 'name', port: 80 }))
    await vi.advanceTimersByTimeAsync(100)
    await dialled
    expect(given.map(({ aborted }) => aborted)).toEqual([true])
  })
})

describe.each(engines)('the signal of a dial of $name', ({ engine: { dial } }) => {
  const reason = new Error('the client has gone')

  it.each(['before it looks', 'while it looks the name up'])('gives up %s', async (when) => {
    const owner = new AbortController()
    if (when === 'before it looks') owner.abort(reason)
    const dialled = failureOf(dial({ resolve: never })({ host: 'name', port: 80 }, { signal: owner.signal }))
    owner.abort(reason)
    expect(await dialled).toBe(reason)
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it.each([1, 2])('gives up while nobody answers at %i addresses, and leaves no socket', async (count) => {
    const port = await silentPort()
    const [sockets, before] = [openDescriptors().length, openResources()]
    const owner = new AbortController()
    // One that listens on 127.0.0.1 alone refuses the other address: it is the last that keeps the dial waiting.
    const resolve = table(...['127.0.0.2', '127.0.0.1'].slice(-count))
    const dialled = failureOf(dial({ resolve })({ host: 'name', port }, { signal: owner.signal }))
    expect(await descriptors()).toBe(sockets + 1)
    owner.abort(reason)
    expect(await dialled).toBe(reason)
    await turn()
    expect(openResources()).toBe(before)
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it('opens nothing where it has aborted before', async () => {
    const port = portOf(await serving(loopback))
    const owner = cancellation()
    owner.abort(reason)
    const before = openResources()
    expect(await failureOf(dial()({ ...loopback, port }, { cancellation: owner }))).toBe(reason)
    expect(openResources()).toBe(before)
  })

  it('does nothing any more once the tunnel is open', async () => {
    const server = await serving(loopback)
    const owner = new AbortController()
    const tunnel = await dial()({ ...loopback, port: portOf(server) }, { signal: owner.signal })
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
    owner.abort(reason)
    await tunnel.sink(say(Buffer.from('still here')))
    tunnel.abort?.(reason)
  })

  // A client that resets its connection aborts its dial with the very error that the system gave for it.
  it('comes out as it is, also where its reason is a system error: that is not the target’s', async () => {
    const owner = new AbortController()
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
    const dialled = failureOf(dial({ resolve: never })({ host: 'name', port: 80 }, { signal: owner.signal }))
    owner.abort(reset)
    expect(await dialled).toBe(reset)
  })
})

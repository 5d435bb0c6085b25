import { describe, expect, it } from 'vitest'
import { AuthenticationError, RefusedError } from '@it-socks/protocol'
import { connect, dialThrough, type ConnectOptions } from '@it-socks/client'
import { dial } from '@it-socks/net'
import type { Dial, DialOptions, Resolve } from '@it-socks/stage'
import { client, server, type Line } from '@it-socks/testing'
import { scriptedProxy } from './scripted-proxy.ts'

const greeted = [client`05 01 00`, server`05 00`]
const first = client`05 01 00 01 c0000201 0050`
const second = client`05 01 00 01 c0000202 0050`
const third = client`05 01 00 04 20010db8000000000000000000000009 0050`
const granted = server`05 00 00 01 c6336401 1f90`
const bound = { host: '198.51.100.1', port: 8080 }
const refused = server`05 05 00 01 00000000 0000`
const destination = 'example.com:80'

/** A proxy that has one script for each connection, in the order in which they come. */
const inTurn = async (...scripts: Line[][]) => {
  const proxies = await Promise.all(scripts.map((script) => scriptedProxy(script)))
  let next = 0
  const direct = dial()
  const turn: Dial = (_, options) => {
    const { host, port } = proxies.at(next++)!
    return direct({ host, port }, options)
  }
  return { proxies, dial: turn, dialled: () => next }
}

/** Connects to a name that has these addresses here. */
const toOneOf = (addresses: string[], options: Omit<ConnectOptions, 'proxy' | 'destination'>) =>
  connect({ proxy: { host: 'proxy.example', names: async () => addresses }, destination, ...options })

describe('a name with several addresses here', () => {
  it.each([
    { why: 'general failure', reply: server`05 01 00 01 00000000 0000` },
    { why: 'network unreachable', reply: server`05 03 00 01 00000000 0000` },
    { why: 'host unreachable', reply: server`05 04 00 01 00000000 0000` },
    { why: 'connection refused', reply: refused },
    { why: 'TTL expired', reply: server`05 06 00 01 00000000 0000` },
    { why: 'address type not supported', reply: server`05 08 00 01 00000000 0000` }
  ])('is tried at the next one after $why', async ({ reply }) => {
    const { proxies, dial } = await inTurn([...greeted, first, reply], [...greeted, second, granted])
    const tunnel = await toOneOf(['192.0.2.1', '192.0.2.2'], { dial })
    expect(tunnel.localAddress).toEqual(bound)
    expect(tunnel.remoteAddress).toEqual({ host: 'example.com', port: 80 })
    await proxies.at(0)!.gone
    tunnel.abort?.(new Error('done'))
  })

  it('is tried at the two families in turns', async () => {
    const { dial } = await inTurn([...greeted, first, refused], [...greeted, third, granted])
    const tunnel = await toOneOf(['192.0.2.1', '192.0.2.2', '2001:db8::9'], { dial })
    expect(tunnel.localAddress).toEqual(bound)
    tunnel.abort?.(new Error('done'))
  })

  it('is tried at the next one where the first keeps it waiting, and the first is closed then', async () => {
    const { proxies, dial } = await inTurn([...greeted, first], [...greeted, second, granted])
    const tunnel = await toOneOf(['192.0.2.1', '192.0.2.2'], { dial })
    expect(tunnel.localAddress).toEqual(bound)
    await proxies.at(0)!.gone
    tunnel.abort?.(new Error('done'))
  })

  it.each([
    { what: 'its rules deny the first', answer: [server`05 02 00 01 00000000 0000`] },
    { what: 'it closes instead of answering, as ssh -D does', answer: [] },
    { what: 'its reply has no name', answer: [server`05 63 00 01 00000000 0000`] }
  ])('goes on to the next where $what', async ({ answer }) => {
    const { dial } = await inTurn([...greeted, first, ...answer], [...greeted, second, granted])
    const tunnel = await toOneOf(['192.0.2.1', '192.0.2.2'], { dial })
    expect(tunnel.localAddress).toEqual(bound)
    tunnel.abort?.(new Error('done'))
  })

  it('fails with the first refusal where all are refused', async () => {
    const unreachable = server`05 04 00 01 00000000 0000`
    const { proxies, dial } = await inTurn([...greeted, first, refused], [...greeted, second, unreachable])
    await expect(toOneOf(['192.0.2.1', '192.0.2.2'], { dial })).rejects.toMatchObject({ reply: 'connection-refused' })
    await Promise.all(proxies.map(({ gone }) => gone))
  })

  it.each([
    {
      what: 'the proxy does not do this at all',
      script: [...greeted, first, server`05 07 00 01 00000000 0000`],
      error: 'ERR_SOCKS_COMMAND_NOT_SUPPORTED'
    },
    {
      what: 'the proxy wants no method of ours',
      script: [client`05 01 00`, server`05 ff`],
      error: 'ERR_SOCKS_NO_ACCEPTABLE_METHOD'
    },
    { what: 'it is no proxy', script: [client`05 01 00`, server`${'HTTP'}`], error: 'ERR_SOCKS_VERSION' }
  ])('is not tried any further where $what', async ({ script, error }) => {
    const { dial, dialled } = await inTurn(script, [])
    await expect(toOneOf(['192.0.2.1', '192.0.2.2'], { dial })).rejects.toMatchObject({ code: error })
    expect(dialled()).toBe(1)
  })

  it('is not tried any further without credentials that the proxy takes', async () => {
    const script = [client`05 02 00 02`, server`05 02`, client`01 05 ${'alice'} 01 ${'x'}`, server`01 01`]
    const { dial, dialled } = await inTurn(script, [])
    const names: Resolve = async () => ['192.0.2.1', '192.0.2.2']
    const proxy = { host: 'proxy.example', names, username: 'alice', password: 'x' }
    await expect(connect({ proxy, destination, dial })).rejects.toThrow(AuthenticationError)
    expect(dialled()).toBe(1)
  })

  it('is given up at all of them together', async () => {
    const { proxies, dial } = await inTurn([...greeted, first], [...greeted, second])
    const owner = new AbortController()
    const reason = new Error('changed my mind')
    const connecting = toOneOf(['192.0.2.1', '192.0.2.2'], { dial, signal: owner.signal })
    void proxies.at(1)!.played.then(() => owner.abort(reason))
    await expect(connecting).rejects.toBe(reason)
    await Promise.all(proxies.map(({ gone }) => gone))
  })

  it('has one deadline for all of them', async () => {
    const { proxies, dial } = await inTurn([...greeted, first], [])
    await expect(toOneOf(['192.0.2.1', '192.0.2.2'], { dial, timeout: 20 })).rejects.toThrow(/took longer than 20 ms/)
    await proxies.at(0)!.gone
  })
})

describe('addresses that are not permitted', () => {
  const refuse =
    (...ips: string[]): NonNullable<DialOptions['permit']> =>
    (ip) => {
      if (ips.includes(ip)) throw new RefusedError('not-allowed', { message: `not to ${ip}` })
    }

  it('are not asked for, of a name that is resolved here', async () => {
    const { dial } = await inTurn([...greeted, second, granted])
    const tunnel = await toOneOf(['192.0.2.1', '192.0.2.2'], { dial, permit: refuse('192.0.2.1') })
    expect(tunnel.localAddress).toEqual(bound)
    tunnel.abort?.(new Error('done'))
  })

  it('are told of where there are no others, by the first refusal, and nobody is dialled', async () => {
    const { dial, dialled } = await inTurn([])
    const permit = refuse('192.0.2.1', '192.0.2.2')
    await expect(toOneOf(['192.0.2.1', '192.0.2.2'], { dial, permit })).rejects.toThrow('not to 192.0.2.1')
    expect(dialled()).toBe(0)
  })

  it.each([
    { written: '192.0.2.1', host: '192.0.2.1' },
    { written: '::ffff:192.0.2.1', host: '::ffff:192.0.2.1' },
    { written: '::ffff:c000:201', host: '::ffff:c000:201' }
  ])('are refused as destinations, whoever resolves names: $written', async ({ host }) => {
    const proxy = await scriptedProxy([])
    for (const names of ['remote', 'local'] as const) {
      const through = dialThrough({ proxy: { host: proxy.host, port: proxy.port, names } })
      await expect(through({ host, port: 80 }, { permit: refuse('192.0.2.1') })).rejects.toThrow('not to 192.0.2.1')
    }
    expect(proxy.clients()).toBe(0)
  })

  it('are not known of a name that the proxy resolves: nobody is asked', async () => {
    const { url, played } = await scriptedProxy([...greeted, client`05 01 00 03 0b ${'example.com'} 0050`, granted])
    const permit = (): never => {
      throw new Error('nobody should ask')
    }
    const tunnel = await dialThrough({ proxy: url })({ host: 'example.com', port: 80 }, { permit })
    await expect(played).resolves.toBeUndefined()
    tunnel.abort?.(new Error('done'))
  })
})

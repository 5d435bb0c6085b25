import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  ConfigurationError,
  InvalidAddressError,
  ProxyClosedError,
  TextError,
  TooLongError,
  UnresolvableError
} from '@it-socks/protocol'
import { none } from '@it-socks/auth'
import { bind, connect, resolveThrough, reverseThrough, type Proxy } from '@it-socks/client'
import type { Resolve } from '@it-socks/stage'
import { client, server, type Line } from '@it-socks/testing'
import { scriptedProxy } from './scripted-proxy.ts'

const granted = server`00 5a 0000 00000000`
const byName = client`04 01 0050 00000001 00 ${'example.com'} 00`

/** Connects through a SOCKS4 proxy that keeps to the script. */
const opened = async (script: readonly Line[], proxy: Partial<Proxy> = {}, destination = 'example.com:80') => {
  const scripted = await scriptedProxy(script)
  const { host, port } = scripted
  return { scripted, connecting: connect({ proxy: { version: 4, ...proxy, host, port }, destination }) }
}

describe('connect through a SOCKS4 proxy', () => {
  it.each<{ what: string; line: Line; proxy?: Partial<Proxy>; destination?: string }>([
    { what: 'a name that the proxy resolves (SOCKS4a)', line: byName },
    {
      what: 'a name that is resolved here, by its first IPv4 address',
      line: client`04 01 0050 c0000209 00`,
      proxy: { names: async () => ['2001:db8::9', '192.0.2.9'] }
    },
    { what: 'an address', line: client`04 01 0050 c0000209 00`, destination: '192.0.2.9:80' },
    {
      what: 'a user id',
      line: client`04 01 0050 c0000209 ${'alice'} 00`,
      proxy: { username: 'alice' },
      destination: '192.0.2.9:80'
    },
    {
      what: 'an IPv6 address, which SOCKS4a carries as a name',
      line: client`04 01 0050 00000001 00 ${'2001:db8::9'} 00`,
      destination: '[2001:db8::9]:80'
    }
  ])('asks for $what', async ({ line, proxy, destination }) => {
    const { scripted, connecting } = await opened([line, granted], proxy, destination)
    const tunnel = await connecting
    await scripted.played
    expect(tunnel.remoteAddress?.port).toBe(80)
    tunnel.abort?.(new Error('done'))
  })

  it('is what the scheme says, with its user', async () => {
    for (const { scheme, line } of [
      { scheme: 'socks4a', line: client`04 01 0050 00000001 ${'alice'} 00 ${'example.com'} 00` },
      { scheme: 'socks4', line: client`04 01 0050 7f000001 ${'alice'} 00` }
    ]) {
      const { host, port, played } = await scriptedProxy([line, granted])
      const destination = scheme === 'socks4' ? 'localhost:80' : 'example.com:80'
      const tunnel = await connect({ proxy: `${scheme}://alice@${host}:${port}`, destination })
      await expect(played).resolves.toBeUndefined()
      tunnel.abort?.(new Error('done'))
    }
  })

  it('has the bytes that came glued to the reply first', async () => {
    const { connecting } = await opened([byName, server`00 5a 0000 00000000 ${'220 ready'}`])
    const tunnel = await connecting
    const { value } = await tunnel.source[Symbol.asyncIterator]().next()
    expect(new TextDecoder().decode((value as Uint8Array).subarray())).toBe('220 ready')
    tunnel.abort?.(new Error('done'))
  })

  it.each([
    { says: 'no', reply: server`00 5b 0000 00000000`, error: { name: 'RefusedError', reply: 'general-failure' } },
    {
      says: 'that it cannot ask who we are',
      reply: server`00 5c 0000 00000000`,
      error: { name: 'AuthenticationError' }
    },
    { says: 'that we are not who we are', reply: server`00 5d 0000 00000000`, error: { name: 'AuthenticationError' } },
    { says: 'what nobody knows', reply: server`00 63 0000 00000000`, error: { name: 'UnassignedReplyError' } },
    { says: 'SOCKS5', reply: server`05 ff`, error: { name: 'VersionError' } }
  ])('tells by name that the proxy says $says', async ({ reply, error }) => {
    const { scripted, connecting } = await opened([byName, reply])
    await expect(connecting).rejects.toMatchObject(error)
    await scripted.gone
  })

  it('names a proxy that hangs up instead', async () => {
    const proxy = await scriptedProxy([byName], { finally: 'end' })
    const { host, port } = proxy
    const connecting = connect({ proxy: { version: 4, host, port }, destination: 'example.com:80' })
    await expect(connecting).rejects.toThrow(ProxyClosedError)
    await proxy.gone
  })

  const v6: Resolve = async () => ['2001:db8::9']
  it.each([
    {
      what: 'an IPv6 address where names are resolved here',
      proxy: { names: v6 },
      destination: '[2001:db8::9]:80',
      error: InvalidAddressError
    },
    { what: 'a name that has IPv6 addresses alone', proxy: { names: v6 }, error: UnresolvableError },
    { what: 'a password', proxy: { username: 'alice', password: 'x' }, error: ConfigurationError },
    { what: 'authentication methods', proxy: { methods: [none()] }, error: ConfigurationError },
    { what: 'a user id of more than 255 bytes', proxy: { username: 'ё'.repeat(128) }, error: TooLongError },
    { what: 'a user id that ends before its end', proxy: { username: 'a\0b' }, error: TextError }
  ])('does not so much as dial the proxy for $what', async ({ proxy, destination, error }) => {
    const { scripted, connecting } = await opened([], proxy, destination)
    await expect(connecting).rejects.toThrow(error)
    expect(scripted.clients()).toBe(0)
  })
})

describe('bind through a SOCKS4 proxy', () => {
  const expecting = client`04 02 0014 c0000209 00`
  const listening = server`00 5a 1f90 c6336401`
  const came = server`00 5a c350 c0000209`
  const bound = async (script: readonly Line[]) => {
    const proxy = await scriptedProxy([expecting, ...script])
    const { host, port } = proxy
    return { proxy, binding: bind({ proxy: { version: 4, host, port }, peer: '192.0.2.9:20' }) }
  }

  it('comes to the address, and then to the peer', async () => {
    const { binding } = await bound([listening, came])
    const listener = await binding
    expect(listener.address).toEqual({ host: '198.51.100.1', port: 8080 })
    const tunnel = await listener.accept()
    expect(tunnel.remoteAddress).toEqual({ host: '192.0.2.9', port: 50_000 })
    tunnel.abort?.(new Error('done'))
  })

  it('takes the proxy’s own address where the proxy says 0.0.0.0', async () => {
    const { binding } = await bound([server`00 5a 1f90 00000000`])
    const listener = await binding
    expect(listener.address).toEqual({ host: '127.0.0.1', port: 8080 })
    listener.close()
  })

  it('tells by name that the peer is not welcome', async () => {
    const { proxy, binding } = await bound([listening, server`00 5b 0000 00000000`])
    const listener = await binding
    await expect(listener.accept()).rejects.toMatchObject({ name: 'RefusedError' })
    await proxy.gone
  })

  it('tells by name that we are not welcome', async () => {
    const { proxy, binding } = await bound([server`00 5d 0000 00000000`])
    await expect(binding).rejects.toThrow(AuthenticationError)
    await proxy.gone
  })
})

describe('what SOCKS4 does not have', () => {
  it('is told before anybody is asked', () => {
    expect(() => resolveThrough({ proxy: 'socks4a://127.0.0.1:1' })).toThrow(
      'SOCKS4 has no RESOLVE: use a SOCKS5 proxy'
    )
    expect(() => reverseThrough({ proxy: 'socks4a://127.0.0.1:1' })).toThrow(ConfigurationError)
  })
})

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  ConfigurationError,
  InvalidAddressError,
  NoAcceptableMethodError,
  ProxyClosedError,
  EmptyNameError,
  TooLongError,
  VersionError
} from '@it-socks/protocol'
import { none } from '@it-socks/auth'
import { connect } from '@it-socks/client'
import { client, hex, server } from '@it-socks/testing'
import { scriptedProxy, type ScriptedProxy } from './scripted-proxy.ts'

const greeted = [client`05 01 00`, server`05 00`]
const request = client`05 01 00 03 0b ${'example.com'} 0050`
const destination = 'example.com:80'
const granted = server`05 00 00 01 c0000201 1f90`

const textOf = async (source: AsyncIterable<{ subarray(): Uint8Array }>): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of source) text += decoder.decode(bytes.subarray(), { stream: true })
  return text
}

const saying = async function* (...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield hex`${text}`
}

describe('connect', () => {
  it('comes to a tunnel, whose ends are BND.ADDR and the destination', async () => {
    const script = [...greeted, request, granted, client`${'hello'}`, server`${'HELLO'}`]
    const proxy = await scriptedProxy(script, { finally: 'end' })
    const tunnel = await connect({ proxy: proxy.url, destination })
    expect(tunnel.localAddress).toEqual({ host: '192.0.2.1', port: 8080 })
    expect(tunnel.remoteAddress).toEqual({ host: 'example.com', port: 80 })
    const [answer] = await Promise.all([textOf(tunnel.source), tunnel.sink(saying('hel', 'lo'))])
    expect(answer).toBe('HELLO')
    await proxy.gone
  })

  it('has the banner that came glued to the reply first', async () => {
    const glued = server`05 00 00 01 c0000201 1f90 ${'220 ready\r\n'}`
    const script = [...greeted, request, glued, client`${'QUIT'}`, server`${'221 bye'}`]
    const proxy = await scriptedProxy(script, { finally: 'end' })
    const tunnel = await connect({ proxy: proxy.url, destination })
    const [answer] = await Promise.all([textOf(tunnel.source), tunnel.sink(saying('QUIT'))])
    expect(answer).toBe('220 ready\r\n221 bye')
  })

  it('logs in with the user and the password of the URL', async () => {
    const script = [
      client`05 02 00 02`,
      server`05 02`,
      client`01 05 ${'alice'} 0b ${'open sesame'}`,
      server`01 00`,
      request,
      granted
    ]
    const { host, port, played } = await scriptedProxy(script)
    const tunnel = await connect({ proxy: `socks5h://alice:open%20sesame@${host}:${port}`, destination })
    await expect(played).resolves.toBeUndefined()
    tunnel.abort?.(new Error('done'))
  })

  it('takes a proxy as a string, as a URL and as an object', async () => {
    const bound = { host: '192.0.2.1', port: 8080 }
    for (const shape of [
      ({ url }: ScriptedProxy) => new URL(url),
      ({ host, port }: ScriptedProxy) => ({ host, port })
    ]) {
      const proxy = await scriptedProxy([...greeted, request, granted])
      const tunnel = await connect({ proxy: shape(proxy), destination: { host: 'example.com', port: 80 } })
      expect(tunnel.localAddress).toEqual(bound)
      tunnel.abort?.(new Error('done'))
    }
  })

  it('offers the methods of one’s own in place of the usual', async () => {
    const { host, port, played } = await scriptedProxy([client`05 01 80`, server`05 80`, request, granted])
    const methods = [{ ...none(), id: 0x80 }]
    const tunnel = await connect({ proxy: { host, port, methods }, destination })
    await expect(played).resolves.toBeUndefined()
    tunnel.abort?.(new Error('done'))
  })

  it('half-closes: the proxy still answers after the client’s end', async () => {
    const proxy = await scriptedProxy([...greeted, request, granted])
    const tunnel = await connect({ proxy: proxy.url, destination })
    await tunnel.sink(saying('this is all'))
    expect(await textOf(tunnel.source)).toBe('')
    await proxy.gone
  })

  it('waits for ever where it is told to', async () => {
    const proxy = await scriptedProxy([...greeted, request, granted])
    const tunnel = await connect({ proxy: proxy.url, destination, timeout: Infinity })
    expect(tunnel.localAddress).toEqual({ host: '192.0.2.1', port: 8080 })
    tunnel.abort?.(new Error('done'))
    await proxy.gone
  })
})

describe('connect, where the proxy is not to be had', () => {
  it('says so, with the system’s error as cause', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    await expect(connect({ proxy: { host: '127.0.0.1', port }, destination })).rejects.toMatchObject({
      name: 'ProxyUnreachableError',
      message: `the proxy 127.0.0.1:${port} cannot be reached`,
      cause: { name: 'RefusedError', reply: 'connection-refused', cause: { code: 'ECONNREFUSED' } }
    })
  })

  it.each(['end', 'reset'] as const)('names a proxy that hangs up at the greeting (%s)', async (last) => {
    const proxy = await scriptedProxy([client`05 01 00`], { finally: last })
    await expect(connect({ proxy: proxy.url, destination })).rejects.toThrow(ProxyClosedError)
    await proxy.gone
  })

  it.each(['end', 'reset'] as const)('names a proxy that hangs up at the request (%s)', async (last) => {
    const proxy = await scriptedProxy([...greeted, request], { finally: last })
    await expect(connect({ proxy: proxy.url, destination })).rejects.toThrow(ProxyClosedError)
    await proxy.gone
  })

  it('names a peer that is no SOCKS proxy', async () => {
    const proxy = await scriptedProxy([client`05 01 00`, server`${'HTTP/1.1 400 Bad Request\r\n\r\n'}`])
    await expect(connect({ proxy: proxy.url, destination })).rejects.toThrow(VersionError)
    await proxy.gone
  })
})

describe('connect, where the proxy says no', () => {
  it('tells that it wants none of our methods', async () => {
    const proxy = await scriptedProxy([client`05 01 00`, server`05 ff`])
    await expect(connect({ proxy: proxy.url, destination })).rejects.toThrow(NoAcceptableMethodError)
    await proxy.gone
  })

  it('tells that it does not take our credentials, and not which', async () => {
    const script = [client`05 02 00 02`, server`05 02`, client`01 05 ${'alice'} 07 ${'hunter2'}`, server`01 01`]
    const proxy = await scriptedProxy(script)
    const { host, port } = proxy
    const refused = connect({ proxy: { host, port, username: 'alice', password: 'hunter2' }, destination })
    await expect(refused).rejects.toThrow(AuthenticationError)
    await expect(refused).rejects.not.toThrow(/hunter2/)
    await proxy.gone
  })

  it('tells why the target is not to be had', async () => {
    const proxy = await scriptedProxy([...greeted, request, server`05 05 00 01 00000000 0000`])
    await expect(connect({ proxy: proxy.url, destination })).rejects.toMatchObject({
      name: 'RefusedError',
      code: 'ERR_SOCKS_CONNECTION_REFUSED',
      reply: 'connection-refused'
    })
    await proxy.gone
  })
})

describe('connect, asked for what cannot be', () => {
  it.each([
    { what: 'a destination without a port', options: { destination: 'example.com' }, error: InvalidAddressError },
    { what: 'a port that is none', options: { destination: 'example.com:70000' }, error: InvalidAddressError },
    { what: 'no method to offer', options: { methods: [] }, error: ConfigurationError },
    { what: 'a user name without a password', options: { username: 'alice' }, error: ConfigurationError },
    {
      what: 'a password of more than 255 bytes',
      options: { username: 'alice', password: 'ё'.repeat(128) },
      error: TooLongError
    }
  ])('does not so much as dial the proxy for $what', async ({ options, error }) => {
    const proxy = await scriptedProxy([])
    const { host, port } = proxy
    const asked = connect({ proxy: { host, port, ...options }, destination, ...options })
    await expect(asked).rejects.toThrow(error)
    expect(proxy.clients()).toBe(0)
  })

  it.each([
    { what: 'a domain of more than 255 bytes', host: 'ё'.repeat(128), port: 80, error: TooLongError },
    { what: 'no host', host: '', port: 80, error: EmptyNameError },
    { what: 'a port out of range', host: 'a', port: 70_000, error: InvalidAddressError }
  ])('does not so much as dial the proxy for $what', async ({ host, port, error }) => {
    const proxy = await scriptedProxy([])
    await expect(connect({ proxy: proxy.url, destination: { host, port } })).rejects.toThrow(error)
    expect(proxy.clients()).toBe(0)
  })
})

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UnresolvableError, formatAddress, type Address } from '@it-socks/protocol'
import { associate, bind, resolveThrough, reverseThrough } from '@it-socks/client'
import { dial, tableResolve } from '@it-socks/net'
import { createServer, type ServerOptions } from '@it-socks/server'
import { hex } from '@it-socks/testing'

/** Our own server, on real sockets: `host:port`. */
const serve = async (options: ServerOptions = {}) => {
  const server = createServer({ listen: { host: '127.0.0.1', port: 0 }, ...options })
  onTestFinished(() => server.close())
  const [endpoint] = await server.listen()
  return { server, at: formatAddress(endpoint as Address) }
}

/** A UDP peer that sends everything back. */
const echo = async (host: '127.0.0.1' | '::1'): Promise<Address> => {
  const socket = createSocket(host === '::1' ? 'udp6' : 'udp4')
  socket.on('message', (data, { port, address }) => socket.send(data, port, address))
  socket.bind(0, host)
  onTestFinished(() => {
    socket.close()
  })
  await once(socket, 'listening')
  return { host, port: socket.address().port }
}

describe('an association with our own server', () => {
  it('reaches peers of both families, and those that have a name, with all that UDP carries', async () => {
    const { at } = await serve({ resolve: tableResolve({ 'echo.example': ['127.0.0.1'] }) })
    const [v4, v6] = [await echo('127.0.0.1'), await echo('::1')]
    const association = await associate({ proxy: `socks5h://${at}` })
    const incoming = association.source[Symbol.asyncIterator]()
    const largest = new Uint8Array(65_507 - 10).fill(7)
    for (const { to, data, from } of [
      { to: v4, data: hex`${'to v4'}`, from: v4 },
      { to: v6, data: hex`${'to v6'}`, from: v6 },
      { to: { host: 'echo.example', port: v4.port }, data: hex`${'to a name'}`, from: v4 },
      { to: v4, data: largest, from: v4 }
    ]) {
      await association.send(data, to)
      const { value } = await incoming.next()
      expect(value.from).toEqual(from)
      expect(Buffer.compare(value.data, data)).toBe(0)
    }
    association.close()
  })

  it('sends in fragments', async () => {
    const { at } = await serve()
    const peer = await echo('127.0.0.1')
    const association = await associate({ proxy: `socks5h://${at}`, fragmentSize: 100 })
    const data = Uint8Array.from({ length: 1050 }, (_, index) => index % 256)
    await association.send(data, peer)
    for await (const { data: received } of association.source) {
      expect(Uint8Array.from(received)).toEqual(data)
      break
    }
  })

  it('ends on the server, without an error, with close', async () => {
    const { server, at } = await serve()
    const closed = once(server, 'closed')
    const association = await associate({ proxy: `socks5h://${at}` })
    association.close()
    const [, error] = (await closed) as [unknown, unknown]
    expect(error).toBeUndefined()
  })

  it('ends with the server', async () => {
    const { server, at } = await serve()
    const association = await associate({ proxy: `socks5h://${at}` })
    const waiting = association.source[Symbol.asyncIterator]().next()
    void server.close()
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_SOCKS_PROXY_CLOSED' })
  })
})

describe('bind through our own server', () => {
  it.each(['socks5h', 'socks4a'])('gets a peer that connects (%s)', async (scheme) => {
    const { at } = await serve()
    const listening = await bind({ proxy: `${scheme}://${at}`, peer: '127.0.0.1:0' })
    const peer = await dial()(listening.address)
    const tunnel = await listening.accept()
    expect(tunnel.remoteAddress).toEqual(peer.localAddress)
    const greeting = (async function* () {
      yield hex`${'hello'}`
    })()
    await peer.sink(greeting)
    let text = ''
    for await (const bytes of tunnel.source) text += new TextDecoder().decode(bytes.subarray())
    expect(text).toBe('hello')
    tunnel.abort?.(new Error('done'))
  })
})

describe('names through our own server', () => {
  it('are found, and so are those of addresses', async () => {
    const { server, at } = await serve({
      commands: ['resolve', 'resolvePtr'],
      resolve: tableResolve({ 'www.example': ['192.0.2.1'] }),
      reverseResolve: async (ip) => {
        if (ip === '192.0.2.1') return 'www.example'
        throw new UnresolvableError(ip)
      }
    })
    const proxy = `socks5h://${at}`
    const closed = once(server, 'closed')
    expect(await resolveThrough({ proxy })('www.example')).toEqual(['192.0.2.1'])
    const [, error] = (await closed) as [unknown, unknown]
    expect(error).toBeUndefined()
    expect(await reverseThrough({ proxy })('192.0.2.1')).toBe('www.example')
    await expect(resolveThrough({ proxy })('nowhere.example')).rejects.toThrow(UnresolvableError)
    await expect(reverseThrough({ proxy })('192.0.2.2')).rejects.toThrow(UnresolvableError)
  })
})

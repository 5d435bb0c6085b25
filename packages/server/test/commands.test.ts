import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { decode, decodeDatagram, encodeDatagram, reply as message } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'
import { portBytes, rawClient, start } from './setup.ts'

const port = (reply: Uint8Array): number => decode(message, reply).value.bound.port

/** A client that has asked, and the first reply it was given. */
const ask = async (proxy: number, request: Uint8Array) => {
  const client = rawClient(proxy)
  client.socket.write(hex`05 01 00 ${request}`)
  await client.hear(2)
  return { ...client, reply: await client.hear(10) }
}

const udpSocket = async () => {
  const socket = createSocket('udp4')
  onTestFinished(() => new Promise((resolve) => socket.close(() => resolve())))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

describe('a server', () => {
  it('listens for a BIND, and relays who connects', async () => {
    const { port: proxy, until } = await start()
    const client = await ask(proxy, hex`05 02 00 01 7f000001 0000`)
    expect(client.reply.subarray(0, 8)).toEqual(hex`05 00 00 01 7f000001`)

    const peer = connect({ host: '127.0.0.1', port: port(client.reply) })
    onTestFinished(() => void peer.destroy())
    peer.write('hello')
    await once(peer, 'connect')
    expect(await client.hear(10)).toEqual(hex`05 00 00 01 7f000001 ${portBytes(peer.localPort ?? 0)}`)
    expect(await client.hear(5)).toEqual(hex`${'hello'}`)
    client.socket.write('back')
    expect(String((await once(peer, 'data'))[0])).toBe('back')
    expect((await until('established')).bound).toEqual({ host: '127.0.0.1', port: port(client.reply) })
  })

  it('gives up a BIND for which nobody comes', async () => {
    const { port: proxy, until } = await start({ bindTimeout: 1 })
    const client = await ask(proxy, hex`05 02 00 01 00000000 0000`)
    expect(await client.hear(100)).toEqual(hex`05 06 00 01 00000000 0000`)
    expect((await until('closed')).cause).toMatchObject({ code: 'ERR_SOCKS_DEADLINE' })
    const [error] = await once(connect({ host: '127.0.0.1', port: port(client.reply) }), 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('relays datagrams, counts them, and ends with the connection', async () => {
    const { port: proxy, until } = await start()
    const echo = await udpSocket()
    echo.on('message', (data, { port, address }) => echo.send(data, port, address))
    const client = await ask(proxy, hex`05 03 00 01 00000000 0000`)
    const bound = { host: '127.0.0.1', port: port(client.reply) }
    expect(await until('established')).toMatchObject({ bound, dropped: {} })

    const socket = await udpSocket()
    const destination = { host: '127.0.0.1', port: echo.address().port }
    socket.send(encodeDatagram({ fragment: 0, destination, data: hex`${'question'}` }), bound.port, bound.host)
    const [answer] = await once(socket, 'message')
    expect(decodeDatagram(answer)).toMatchObject({ fragment: 0, destination })

    client.socket.end()
    const { traffic, cause } = await until('closed')
    expect(traffic).toEqual({ up: 8, down: 8 })
    expect(cause).toBeUndefined()
    await client.gone
  })

  it('ends an association that is idle', async () => {
    const { port: proxy, until } = await start({ idleTimeout: 1 })
    const client = await ask(proxy, hex`05 03 00 01 00000000 0000`)
    await client.gone
    expect((await until('closed')).cause).toMatchObject({ code: 'ERR_SOCKS_IDLE' })
  })

  it('resolves for Tor’s clients where it is asked to', async () => {
    const commands = ['resolve', 'resolvePtr'] as const
    const server = { commands, resolve: async () => ['192.0.2.7'], reverseResolve: async () => 'host.example' }
    const { port: proxy, until } = await start(server)
    const client = await ask(proxy, hex`05 f0 00 03 0b ${'example.com'} 0000`)
    expect(client.reply).toEqual(hex`05 00 00 01 c0000207 0000`)
    await client.gone
    expect((await until('closed')).cause).toBeUndefined()

    const reverse = await ask(proxy, hex`05 f1 00 01 c0000207 0000`)
    expect(hex`${reverse.reply} ${await reverse.hear(100)}`).toEqual(hex`05 00 00 03 0c ${'host.example'} 0000`)
  })

  it.each([
    { command: 'RESOLVE', request: hex`05 f0 00 03 0b ${'example.com'} 0000` },
    { command: 'CONNECT', request: hex`05 01 00 01 7f000001 0001` }
  ])('refuses $command where it is not among its commands', async ({ request }) => {
    const { port: proxy } = await start({ commands: ['bind', 'udpAssociate'] })
    expect((await ask(proxy, request)).reply).toEqual(hex`05 07 00 01 00000000 0000`)
  })
})

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { login, none, authenticate } from '@it-socks/auth'
import { ask, command, request, udpAssociate } from '@it-socks/command'
import { datagramBinder, dial, listen, tableResolve } from '@it-socks/net'
import { IdleError, unspecified } from '@it-socks/protocol'
import { relay } from '@it-socks/relay'
import { frames, handshake, pipe, type Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'

const closing: Array<() => void> = []

afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const bound = async (type: 'udp4' | 'udp6', host: string): Promise<Socket> => {
  const socket = createSocket(type)
  closing.push(() => socket.close())
  socket.bind(0, host)
  await once(socket, 'listening')
  return socket
}

/** Sends back all that comes. */
const echo = async (type: 'udp4' | 'udp6' = 'udp4', host = '127.0.0.1'): Promise<number> => {
  const socket = await bound(type, host)
  socket.on('message', (data, { address, port }) => socket.send(data, port, address))
  return socket.address().port
}

const two = (port: number): Uint8Array => Uint8Array.of(port >> 8, port & 0xff)

/** A server of one connection, and a client with an association through it. */
const associate = async (host = '127.0.0.1', idle = Infinity) => {
  const listener = listen({ host, port: 0 })
  closing.push(() => listener.close())
  const resolve = tableResolve({ 'echo.example': ['127.0.0.1'] })
  const serve = async (): Promise<unknown> => {
    for await (const connection of listener) {
      return pipe(
        connection,
        frames({ context: { connection } }),
        authenticate([none()]),
        request(),
        command({ udpAssociate: udpAssociate(datagramBinder(), { resolve }) }),
        relay(connection, { idle })
      )
    }
    throw new Error('nobody came')
  }
  const served = serve().catch((error: unknown) => error)
  const address = await listener.listening
  if ('path' in address) throw new Error('not a TCP address')
  const proxy = await dial()(address)
  const asking = ask({ command: 'udpAssociate', destination: unspecified })
  const { context, duplex } = await pipe(proxy, frames(), login([none()]), asking, handshake(proxy))
  let leave!: () => void
  const left = new Promise<void>((resolve) => {
    leave = resolve
  })
  const silence = async function* (): AsyncGenerator<Bytes, void> {
    await left
  }
  const sunk = duplex.sink(silence()).catch(() => {})
  closing.push(() => duplex.abort?.(new Error('over')))

  const socket = await bound(host.includes(':') ? 'udp6' : 'udp4', host)
  // Connected, as PySocks and dante have theirs: answers from anywhere else would not come.
  socket.connect(context.bound.port, context.bound.host)
  await once(socket, 'connect')
  return {
    relay: context.bound,
    /** Sends one datagram and resolves with the next that comes. */
    exchange: async (bytes: Uint8Array): Promise<Uint8Array> => {
      const answered = once(socket, 'message') as Promise<[Buffer]>
      socket.send(bytes)
      return new Uint8Array((await answered)[0])
    },
    leave: async () => {
      leave()
      await sunk
    },
    served
  }
}

describe('an association on real sockets', () => {
  it('carries the largest datagrams there and back', async () => {
    const { exchange, leave, served } = await associate()
    const header = hex`0000 00 01 7f000001 ${two(await echo())}`
    const largest = new Uint8Array(65_507 - header.length).map((_, index) => index)
    expect(await exchange(hex`${header} ${largest}`)).toEqual(hex`${header} ${largest}`)
    expect(await exchange(header)).toEqual(header)
    await leave()
    expect(await served).toEqual({ up: largest.length, down: largest.length })
  })

  it('reaches targets by name, by address and in the other family', async () => {
    const { exchange, leave, served } = await associate()
    const port = two(await echo())
    const answer = hex`0000 00 01 7f000001 ${port} ${'question'}`
    expect(await exchange(hex`0000 00 03 0c ${'echo.example'} ${port} ${'question'}`)).toEqual(answer)
    expect(await exchange(answer)).toEqual(answer)
    const six = hex`0000 00 04 00000000000000000000000000000001 ${two(await echo('udp6', '::1'))} ${'question'}`
    expect(await exchange(six)).toEqual(six)
    await leave()
    expect(await served).toEqual({ up: 24, down: 24 })
  })

  it('reaches IPv4 from IPv6', async () => {
    const { exchange } = await associate('::1')
    const datagram = hex`0000 00 01 7f000001 ${two(await echo())} ${'question'}`
    expect(await exchange(datagram)).toEqual(datagram)
  })

  it('puts fragments together', async () => {
    const { exchange } = await associate()
    const port = two(await echo())
    const first = hex`0000 01 01 7f000001 ${port} ${'ques'}`
    const sent = exchange(first)
    const both = await Promise.all([sent, exchange(hex`0000 82 01 7f000001 ${port} ${'tion'}`)])
    expect(both[0]).toEqual(hex`0000 00 01 7f000001 ${port} ${'question'}`)
  })

  it('closes its port with the client’s connection', async () => {
    const { relay, leave, served } = await associate()
    await leave()
    await served
    const socket = createSocket('udp4')
    closing.push(() => socket.close())
    socket.bind(relay.port, relay.host)
    await once(socket, 'listening')
    expect(socket.address().port).toBe(relay.port)
  })

  it('ends when it is idle', async () => {
    const { exchange, served } = await associate('127.0.0.1', 1000)
    const datagram = hex`0000 00 01 7f000001 ${two(await echo())} ${'question'}`
    expect(await exchange(datagram)).toEqual(datagram)
    expect(await served).toBeInstanceOf(IdleError)
  })
})

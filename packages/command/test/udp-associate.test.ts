import { describe, expect, it } from 'vitest'
import { ConfigurationError, RefusedError, type Address } from '@it-socks/protocol'
import { authenticate, none } from '@it-socks/auth'
import { command, request, udpAssociate } from '@it-socks/command'
import { frames, handshake, pipe, type ByteDuplex } from '@it-socks/stage'
import { client, memoryDatagrams, play, server, type Line } from '@it-socks/testing'
import { unresolving } from './udp-setup.ts'

const greeted = [client`05 01 00`, server`05 00`]
const asking = client`05 03 00 01 00000000 0000`

interface ServeOptions {
  /** Where the client reached the server. */
  at?: Address
  publicHost?: string
}

/** Plays the client of a server that has its first UDP port to give; what comes of it is the tunnel's own address. */
const serve = (script: readonly Line[], { at, publicHost }: ServeOptions = {}) =>
  play({
    script: [...greeted, ...script],
    testing: 'server',
    run: async (duplex) => {
      const network = memoryDatagrams()
      const options = publicHost === undefined ? {} : { publicHost }
      const { context } = await pipe(
        duplex,
        frames({ context: { connection: { localAddress: at, remoteAddress: at } } }),
        authenticate([none()]),
        request(),
        command({ udpAssociate: udpAssociate(network.binder, { resolve: unresolving, ...options }) }),
        handshake(duplex)
      )
      const { localAddress } = context.tunnel
      expect(network.open()).toEqual([localAddress])
      context.tunnel.abort?.(new Error('the play is over'))
      expect(network.open()).toEqual([])
      return localAddress
    }
  })

const near = { host: '192.0.2.1', port: 1080 }

describe('udpAssociate', () => {
  it.each([
    { at: near, answer: server`05 00 00 01 c0000201 c000`, host: '192.0.2.1' },
    {
      at: { host: '2001:db8::1', port: 1080 },
      answer: server`05 00 00 04 20010db8000000000000000000000001 c000`,
      host: '2001:db8::1'
    },
    { at: { host: '::ffff:192.0.2.1', port: 1080 }, answer: server`05 00 00 01 c0000201 c000`, host: '192.0.2.1' },
    { at: { host: '127.0.0.1', port: 1080 }, answer: server`05 00 00 01 7f000001 c000`, host: '127.0.0.1' },
    { at: undefined, answer: server`05 00 00 01 7f000001 c000`, host: '127.0.0.1' }
  ])('answers with a port at the address where the client reached us: $host', async ({ at, answer, host }) => {
    expect(await serve([asking, answer], at && { at })).toEqual({ host, port: 0xc000 })
  })

  it.each([
    ['a domain that is none, as PySocks does', client`05 03 00 03 01 ${'0'} 1f90`],
    ['a domain that nobody can resolve', client`05 03 00 03 0f ${'nowhere.invalid'} 1f90`],
    ['an address of its own network', client`05 03 00 01 0a000001 1f90`],
    ['IPv6, to an IPv4 server', client`05 03 00 04 00000000000000000000000000000000 0000`]
  ])('takes a client that says to come from %s', async (_, line) => {
    expect(await serve([line, server`05 00 00 01 c0000201 c000`], { at: near })).toEqual({ ...near, port: 0xc000 })
  })

  it('tells the public host of the same family in place of its own', async () => {
    const answer = server`05 00 00 01 cb007109 c000`
    expect(await serve([asking, answer], { at: near, publicHost: '203.0.113.9' })).toEqual({ ...near, port: 0xc000 })
  })

  it('tells clients on loopback of loopback, public host or not', async () => {
    const at = { host: '127.0.0.1', port: 1080 }
    const answer = server`05 00 00 01 7f000001 c000`
    expect(await serve([asking, answer], { at, publicHost: '203.0.113.9' })).toEqual({ ...at, port: 0xc000 })
  })

  it('refuses where there is no socket to be had', async () => {
    const error = new RefusedError('general-failure')
    const run = (duplex: ByteDuplex) =>
      pipe(
        duplex,
        frames({ context: { connection: { localAddress: near } } }),
        authenticate([none()]),
        request(),
        command({ udpAssociate: udpAssociate(() => Promise.reject(error), { resolve: unresolving }) }),
        handshake(duplex)
      )
    const script = [...greeted, asking, server`05 01 00 01 00000000 0000`]
    await expect(play({ script, testing: 'server', run })).rejects.toBe(error)
  })
})

describe('udpAssociate, put together wrongly', () => {
  const { binder } = memoryDatagrams()

  it('needs a public host that is an IP address', () => {
    const options = { resolve: unresolving, publicHost: 'proxy.example' }
    expect(() => udpAssociate(binder, options)).toThrow(ConfigurationError)
  })

  it('needs a reassembly timer that RFC 1928 allows', () => {
    const options = { resolve: unresolving, reassemblyTimeout: 4999 }
    expect(() => udpAssociate(binder, options)).toThrow(ConfigurationError)
  })
})

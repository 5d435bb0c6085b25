import { randomBytes } from 'node:crypto'
import { associate, type AssociateOptions, type Association } from '@it-socks/client'
import { hex } from '@it-socks/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startDns } from '../support/dns.ts'
import { hasIpv6, needs } from '../support/programs.ts'
import { startDanted, startServer, type ProxyAddress } from '../support/proxies.ts'
import { startUdpEcho } from '../support/udp.ts'

const danted = { name: 'danted', programs: ['danted'], start: () => startDanted() }
const ours = { name: 'our server', programs: [], start: async (): Promise<ProxyAddress> => (await startServer()).proxy }

const associateThrough = async (proxy: ProxyAddress, options: Partial<AssociateOptions> = {}): Promise<Association> => {
  const association = await associate({ ...options, proxy: `socks5h://${proxy}` })
  onTestFinished(() => association.close())
  return association
}

/** Sends one datagram, and resolves with the next one that comes. */
const exchange = async (association: Association, data: Uint8Array | string, to: string) => {
  const next = association.source[Symbol.asyncIterator]().next()
  await association.send(Buffer.from(data), to)
  const { value } = await next
  return { from: value!.from, data: Buffer.from(value!.data) }
}

describe.each([danted, ours])('our client associates through $name', ({ programs, start }) => {
  needs(...programs)

  it('exchanges datagrams with several peers in one association', async () => {
    const [proxy, one, other] = await Promise.all([start(), startUdpEcho(), startUdpEcho()])
    const association = await associateThrough(proxy)
    for (const echo of [one, other, one]) {
      const { from, data } = await exchange(association, 'hello', echo.address)
      expect({ from, data: String(data) }).toEqual({ from: { host: '127.0.0.1', port: echo.port }, data: 'hello' })
    }
    expect(one.senders).toHaveLength(2)
  })

  it.skipIf(!hasIpv6)('reaches a peer by its IPv6 address (needs ::1)', async () => {
    const [proxy, echo] = await Promise.all([start(), startUdpEcho('::1')])
    const { from, data } = await exchange(await associateThrough(proxy), 'hello', echo.address)
    expect({ from, data: String(data) }).toEqual({ from: { host: '::1', port: echo.port }, data: 'hello' })
  })

  it('reaches a peer by a name that the proxy resolves', async () => {
    const [proxy, echo] = await Promise.all([start(), startUdpEcho()])
    const { from, data } = await exchange(await associateThrough(proxy), 'hello', `localhost:${echo.port}`)
    expect(from.port).toBe(echo.port)
    expect(String(data)).toBe('hello')
  })

  it('sends datagrams without data', async () => {
    const [proxy, echo] = await Promise.all([start(), startUdpEcho()])
    const { from, data } = await exchange(await associateThrough(proxy), '', echo.address)
    expect({ from, data: String(data) }).toEqual({ from: { host: '127.0.0.1', port: echo.port }, data: '' })
  })

  it('sends the most that a datagram can hold', async () => {
    const [proxy, echo] = await Promise.all([start(), startUdpEcho()])
    const most = randomBytes(65_497)
    const { data } = await exchange(await associateThrough(proxy), most, echo.address)
    expect(data.equals(most)).toBe(true)
  })

  describe('to dnsmasq', () => {
    needs('dnsmasq')

    it('asks a name server', async () => {
      const [proxy, port] = await Promise.all([start(), startDns({ 'www.example': '192.0.2.7' })])
      // A query for www.example, A, IN; the answer ends with the address.
      const question = hex`1234 0100 0001 0000 0000 0000 03 ${'www'} 07 ${'example'} 00 0001 0001`
      const { data } = await exchange(await associateThrough(proxy), question, `127.0.0.1:${port}`)
      expect(data.subarray(0, 2).toString('hex')).toBe('1234')
      expect([...data.subarray(-4)]).toEqual([192, 0, 2, 7])
    })
  })
})

describe('our client associates through our server', () => {
  it('sends what is too long for one datagram of a small path in fragments, which arrive whole', async () => {
    const [{ proxy }, echo] = await Promise.all([startServer(), startUdpEcho()])
    const association = await associateThrough(proxy, { fragmentSize: 1000 })
    const data = randomBytes(60_000)
    expect((await exchange(association, data, echo.address)).data.equals(data)).toBe(true)
    expect(echo.senders).toHaveLength(1)
  })
})

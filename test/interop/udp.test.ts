import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { associate, type AssociateOptions, type Association } from '@it-socks/client'
import { SocksClient } from 'socks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startDns } from '../support/dns.ts'
import { hasIpv6, needs, python, pythonModule } from '../support/programs.ts'
import { startDanted, startServer, type ProxyAddress } from '../support/proxies.ts'
import { succeed } from '../support/run.ts'
import { startSocksified } from '../support/socksify.ts'
import { startUdpEcho, udpSocket } from '../support/udp.ts'

/** Runs a script in Debian's Python with PySocks, with a UDP socket `s` that goes through the proxy. */
const pysocks = (proxy: ProxyAddress, script: string): Promise<string> =>
  succeed(python, [
    '-c',
    `
import socks, socket, json
s = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
s.set_proxy(socks.SOCKS5, '127.0.0.1', ${proxy.split(':')[1]})
s.settimeout(20)
${script}
`
  ])

describe('PySocks through our server', () => {
  needs(python, pythonModule('socks.py'))

  it('exchanges datagrams with several peers, by address and by name', async () => {
    const [{ proxy }, one, other] = await Promise.all([startServer(), startUdpEcho(), startUdpEcho()])
    const output = await pysocks(
      proxy,
      `
answers = []
for host, port in [('127.0.0.1', ${one.port}), ('127.0.0.1', ${other.port}), ('localhost', ${one.port})]:
    s.sendto(f'to {host}:{port}'.encode(), (host, port))
    data, (host, port) = s.recvfrom(1000)
    answers.append([data.decode(), host, port])
print(json.dumps(answers))
`
    )
    expect(JSON.parse(output)).toEqual([
      [`to 127.0.0.1:${one.port}`, '127.0.0.1', one.port],
      [`to 127.0.0.1:${other.port}`, '127.0.0.1', other.port],
      [`to localhost:${one.port}`, '127.0.0.1', one.port]
    ])
    // To the targets it is one socket, whatever peer it speaks to.
    expect(new Set([...one.senders, ...other.senders].map(({ port }) => port)).size).toBe(1)
  })

  it('is told of a datagram that nobody asked for, and by whom it is', async () => {
    const [{ proxy }, echo, stranger] = await Promise.all([startServer(), startUdpEcho(), udpSocket()])
    const told = pysocks(
      proxy,
      `
s.sendto(b'hello', ('127.0.0.1', ${echo.port}))
s.recvfrom(1000)
s.sendto(b'call me', ('127.0.0.1', ${stranger.address().port}))
print(json.dumps([*(lambda m: [m[0].decode(), *m[1]])(s.recvfrom(1000))]))
`
    )
    const [, { port, address }] = await once(stranger, 'message')
    const other = await udpSocket()
    other.send('you do not know me', port, address)
    expect(JSON.parse(await told)).toEqual(['you do not know me', '127.0.0.1', other.address().port])
  })

  it('sends and receives the most that a datagram can hold', async () => {
    const [{ proxy }, echo] = await Promise.all([startServer(), startUdpEcho()])
    // 65,507 is what IPv4 can carry; the header before it takes 10.
    const output = await pysocks(
      proxy,
      `
big = bytes(range(251)) * 261
big = big[:65497]
s.sendto(big, ('127.0.0.1', ${echo.port}))
print(json.dumps(s.recvfrom(70000)[0] == big))
`
    )
    expect(JSON.parse(output)).toBe(true)
  })
})

describe('a program under socksify through our server', () => {
  needs('socksify')

  describe('nc -u', () => {
    needs('nc')

    it('exchanges datagrams', async () => {
      const [{ proxy }, echo] = await Promise.all([startServer(), startUdpEcho()])
      // It ends with the first datagram that it receives.
      const nc = await startSocksified(proxy, 'nc', ['-u', '-W', '1', '127.0.0.1', String(echo.port)])
      nc.stdin.end('hello')
      expect(await nc.ended).toMatchObject({ code: 0, stdout: 'hello' })
    })
  })

  describe('drill', () => {
    needs('drill', 'dnsmasq')

    it('asks a name server', async () => {
      const [{ server, proxy }, port] = await Promise.all([startServer(), startDns({ 'www.example': '192.0.2.7' })])
      const closed = once(server, 'closed')
      const drill = await startSocksified(proxy, 'drill', ['-Q', '-p', String(port), '@127.0.0.1', 'www.example', 'A'])
      expect(await drill.ended).toMatchObject({ code: 0, stdout: '192.0.2.7\n' })
      const [session] = await closed
      expect(session.request.command).toBe('udpAssociate')
      expect(new Set(Object.values(session.dropped))).toEqual(new Set([0]))
    })
  })
})

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

  it('asks a name server', async () => {
    const [proxy, port] = await Promise.all([start(), startDns({ 'www.example': '192.0.2.7' })])
    // A query for www.example, A, IN; the answer ends with the address.
    const question = Buffer.from(
      '1234 0100 0001 0000 0000 0000 03777777 076578616d706c65 00 0001 0001'.replaceAll(' ', ''),
      'hex'
    )
    const { data } = await exchange(await associateThrough(proxy), question, `127.0.0.1:${port}`)
    expect(data.subarray(0, 2).toString('hex')).toBe('1234')
    expect([...data.subarray(-4)]).toEqual([192, 0, 2, 7])
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

describe('npm socks associates through our server', () => {
  it('exchanges datagrams', async () => {
    const [{ proxy }, echo, socket] = await Promise.all([startServer(), startUdpEcho(), udpSocket()])
    const client = new SocksClient({
      proxy: { host: '127.0.0.1', port: Number(proxy.split(':')[1]), type: 5 },
      command: 'associate',
      destination: { host: '0.0.0.0', port: 0 }
    })
    const established = once(client, 'established')
    client.connect()
    const [{ remoteHost: relay, socket: connection }] = await established
    onTestFinished(() => connection.destroy())

    const remoteHost = { host: '127.0.0.1', port: echo.port }
    socket.send(SocksClient.createUDPFrame({ remoteHost, data: Buffer.from('hello') }), relay.port, relay.host)
    const [answer] = await once(socket, 'message')
    expect(SocksClient.parseUDPFrame(answer)).toMatchObject({ remoteHost, data: Buffer.from('hello') })
  })
})

import { once } from 'node:events'
import { SocksClient } from 'socks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startDns } from '../support/dns.ts'
import { needs, python, pythonModule } from '../support/programs.ts'
import { startServer, type ProxyAddress } from '../support/proxies.ts'
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

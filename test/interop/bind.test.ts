import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { bind, type BindOptions } from '@it-socks/client'
import { ClosedError } from '@it-socks/protocol'
import type { Session } from '@it-socks/server'
import { SocksClient } from 'socks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ftpServer, startFtp } from '../support/ftp.ts'
import { needs } from '../support/programs.ts'
import { startDanted, startServer, type ProxyAddress } from '../support/proxies.ts'
import { hear } from '../support/sockets.ts'
import { startSocksified } from '../support/socksify.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { bytesOf, say, textOf } from '../support/tunnel.ts'
import { sha256 } from '../support/web.ts'

/** A peer that does as it was told: connects to where a proxy listens. */
const connectPeer = async ({ host, port }: { host: string; port: number }, from = '127.0.0.1'): Promise<Socket> => {
  const socket = connect({ host, port, localAddress: from, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  // Where the test is over, its tunnel is reset.
  return socket.on('error', () => {})
}

/** What becomes of somebody who connects there and is not wanted: the error's code, or `closed`. */
const knock = ({ host, port }: { host: string; port: number }, from = '127.0.0.1'): Promise<string> =>
  new Promise((resolve) => {
    connect({ host, port, localAddress: from })
      .on('error', ({ code = 'no code' }: NodeJS.ErrnoException) => resolve(code))
      .on('close', () => resolve('closed'))
      .resume()
  })

const listenThrough = async (options: BindOptions) => {
  const listening = await bind(options)
  onTestFinished(() => listening.close())
  return listening
}

const localOf = ({ localAddress: host, localPort: port }: Socket) => ({ host, port })

describe.each([
  { client: 'inetutils-ftp', options: ['-n', '-v'] },
  { client: 'tnftp', options: ['-n', '-v', '-A'] }
])('active FTP by $client under socksify through our server', ({ client, options }) => {
  needs('socksify', client, ...ftpServer)

  it('fetches and stores: for each file the server connects to a port of the proxy', async () => {
    const [here, there] = await Promise.all([temporaryFolder(), temporaryFolder()])
    const [down, up] = [randomBytes(2_000_000), randomBytes(2_000_000)]
    await Promise.all([writeFile(join(there, 'down'), down), writeFile(join(here, 'up'), up)])
    const [{ server, proxy }, ftp] = await Promise.all([startServer(), startFtp(there)])
    const bound: Session[] = []
    server.on('established', (session) => session.request?.command === 'bind' && bound.push(session))

    const running = await startSocksified(proxy, client, [...options, ftp.host, String(ftp.port)], { cwd: here })
    running.stdin.end('user anonymous me@example.com\nbinary\nget down\nput up\nquit\n')
    const { stdout } = await running.ended
    expect(stdout).toContain('221 ')
    expect(sha256(await readFile(join(here, 'down')))).toBe(sha256(down))
    expect(sha256(await readFile(join(there, 'up')))).toBe(sha256(up))
    // Who is expected is the server that the client had connected to.
    expect(bound.map(({ request }) => request?.destination)).toEqual([
      { host: ftp.host, port: 0 },
      { host: ftp.host, port: 0 }
    ])
  })
})

const danted = { name: 'danted', programs: ['danted'], start: () => startDanted() }
const ours = { name: 'our server', programs: [], start: async (): Promise<ProxyAddress> => (await startServer()).proxy }

describe.each([
  { ...danted, scheme: 'socks5' },
  { ...danted, scheme: 'socks4' },
  { ...ours, scheme: 'socks5' },
  { ...ours, scheme: 'socks4' }
])('our client binds through $name by $scheme', ({ programs, start, scheme }) => {
  needs(...programs)

  it('is told where to send its peer, and then who came', async () => {
    const listening = await listenThrough({ proxy: `${scheme}://${await start()}`, peer: '127.0.0.1:0' })
    expect(listening.address.host).toBe('127.0.0.1')
    const peer = await connectPeer(listening.address)
    const tunnel = await listening.accept()
    onTestFinished(() => tunnel.abort?.(new Error('the test is over')))
    expect(tunnel.remoteAddress).toEqual(localOf(peer))
    expect(tunnel.localAddress).toEqual(listening.address)

    const [question, answer] = [randomBytes(3_000_000), randomBytes(3_000_000)]
    const [asked] = await Promise.all([hear(peer), tunnel.sink(say(question))])
    expect(sha256(asked)).toBe(sha256(question))
    peer.end(answer)
    expect(sha256(await bytesOf(tunnel.source))).toBe(sha256(answer))
  })

  it('has what the peer says at once, glued to the second reply or not', async () => {
    const proxy = `${scheme}://${await start()}`
    for (let round = 0; round < 20; round++) {
      const listening = await listenThrough({ proxy, peer: '127.0.0.1:0' })
      const peer = await connectPeer(listening.address)
      peer.end('220 welcome')
      const tunnel = await listening.accept()
      expect(await textOf(tunnel.source)).toBe('220 welcome')
      tunnel.abort?.(new Error('that is all'))
    }
  })

  it('may expect anybody', async () => {
    const listening = await listenThrough({ proxy: `${scheme}://${await start()}` })
    const peer = await connectPeer(listening.address, '127.0.0.3')
    expect((await listening.accept()).remoteAddress).toEqual(localOf(peer))
  })

  it('leaves nobody listening where it gives up', async () => {
    const listening = await listenThrough({ proxy: `${scheme}://${await start()}`, peer: '127.0.0.1:0' })
    listening.close()
    // The proxy hears of it in its own time.
    while ((await knock(listening.address)) !== 'ECONNREFUSED');
    await expect(listening.accept()).rejects.toThrow(ClosedError)
  })
})

describe('our server, where somebody else than the expected peer connects', () => {
  it('resets them and waits on', async () => {
    const { proxy } = await startServer()
    const listening = await listenThrough({ proxy: `socks5://${proxy}`, peer: '127.0.0.2:0' })
    expect(await knock(listening.address, '127.0.0.3')).toBe('ECONNRESET')
    const peer = await connectPeer(listening.address, '127.0.0.2')
    expect((await listening.accept()).remoteAddress).toEqual(localOf(peer))
  })
})

describe('npm socks binds through our server', () => {
  it.each([4, 5] as const)('in version %d', async (type) => {
    const { proxy } = await startServer()
    const client = new SocksClient({
      proxy: { host: '127.0.0.1', port: Number(proxy.split(':')[1]), type },
      command: 'bind',
      destination: { host: '127.0.0.1', port: 0 }
    })
    const [bound, established] = [once(client, 'bound'), once(client, 'established')]
    client.connect()
    const [{ remoteHost, socket }] = await bound
    onTestFinished(() => socket.destroy())
    const peer = await connectPeer(remoteHost)
    expect((await established)[0].remoteHost).toEqual(localOf(peer))
    const heard = hear(socket.resume())
    peer.end('hello')
    expect(String(await heard)).toBe('hello')
  })
})

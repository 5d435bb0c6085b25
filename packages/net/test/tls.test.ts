import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { socketDuplex, type SocketDuplex } from '@it-socks/net'
import { hex } from '@it-socks/testing'
import { all, failureOf, iterate, say, silence } from '../../../test/support/duplex.ts'
import { hearText } from '../../../test/support/sockets.ts'

// A key that both ends know in place of a certificate: RFC 8446 section 2.2.
const psk = Buffer.alloc(32, 7)
const ciphers = 'PSK'

/** A TLS connection: our end as a duplex, and the peer's as the plain socket that it has. */
const connected = async (): Promise<{ ours: SocketDuplex; socket: TLSSocket; peer: TLSSocket }> => {
  const server = createServer({ ciphers, allowHalfOpen: true, pskCallback: () => psk, pskIdentityHint: 'it-socks' })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'secureConnection')
  // Not written in place: Node's types do not know that `connect` takes `allowHalfOpen`.
  const options = {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    ciphers,
    allowHalfOpen: true,
    pskCallback: () => ({ psk, identity: 'it-socks' }),
    checkServerIdentity: () => undefined
  }
  const socket = connect(options)
  await once(socket, 'secureConnect')
  const [peer] = (await accepted) as [TLSSocket]
  onTestFinished(() => {
    server.close()
    socket.destroy()
    peer.destroy()
  })
  return { ours: socketDuplex(socket), socket, peer }
}

describe('a TLS socket as a duplex', () => {
  it('speaks on after the peer has closed its half', async () => {
    const { ours, peer } = await connected()
    peer.end('all I have to say')
    expect((await all(ours.source)).toString()).toBe('all I have to say')
    const heard = hearText(peer)
    await ours.sink(say(hex`${'but I '}`, hex`${'have more'}`))
    expect(await heard).toBe('but I have more')
  })

  it('hears on after it has closed its own half', async () => {
    const { ours, peer } = await connected()
    const heard = hearText(peer)
    await ours.sink(say(hex`${'all I have to say'}`))
    expect(await heard).toBe('all I have to say')
    peer.end('but I have more')
    expect((await all(ours.source)).toString()).toBe('but I have more')
  })

  it('carries more than fits into one record, both ways at once', async () => {
    const { ours, peer } = await connected()
    const much = new Uint8Array(1_000_000).fill(7)
    peer.pipe(peer)
    const [heard] = await Promise.all([all(ours.source), ours.sink(say(much, much))])
    expect(heard).toHaveLength(2_000_000)
  })

  it('knows its addresses', async () => {
    const { ours, socket } = await connected()
    expect(ours.localAddress).toEqual({ host: '127.0.0.1', port: socket.localPort })
  })

  it('closes on abort, and both directions fail with the reason', async () => {
    const { ours, peer } = await connected()
    const closed = new Promise((resolve) => peer.on('error', () => {}).on('close', resolve))
    peer.resume().on('end', () => peer.end())
    const quiet = silence()
    const outcomes = [failureOf(iterate(ours).next()), failureOf(ours.sink(quiet.source))]
    const reason = new Error('enough')
    ours.abort(reason)
    expect(await Promise.all(outcomes)).toEqual([reason, reason])
    expect(quiet.state.returned).toBe(true)
    await closed
  })
})

import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { hex } from '@it-socks/testing'
import { describe, expect, it } from 'vitest'
import { startServer } from '../support/proxies.ts'
import { startTarget } from '../support/target.ts'
import { open, textOf } from '../support/tunnel.ts'
import { connectReply, connectRequest } from '../support/wire.ts'

describe('bytes that arrive together with a message', () => {
  it('reach the target: data that a client sends with its request', async () => {
    const [{ proxy }, target] = await Promise.all([startServer(), startTarget()])
    const client = connect({ port: Number(proxy.split(':')[1]), host: '127.0.0.1' })
    client.end(connectRequest(target.port, 'early data'))
    const far = await target.accept()
    far.pipe(far)
    const answer = await buffer(client)
    expect(answer.subarray(0, connectReply.length)).toEqual(Buffer.from(connectReply))
    expect(answer.subarray(connectReply.length + 2).toString()).toBe('early data')
  })

  it('reach the caller: a banner in one segment with the proxy’s reply', async () => {
    const target = await startTarget({
      onConnection(socket) {
        socket.once('data', () => {
          socket.write(hex`05 00`)
          socket.once('data', () => socket.end(hex`05 00 00 01 7f 00 00 01 04 d2 ${'220 welcome'}`))
        })
      }
    })
    const tunnel = await open({ proxy: `socks5://${target.address}`, destination: '192.0.2.1:25' })
    expect(tunnel.localAddress).toEqual({ host: '127.0.0.1', port: 1234 })
    expect(await textOf(tunnel.source)).toBe('220 welcome')
  })

  it('reach the caller: a banner that the target has ready before our server replies', async () => {
    const target = await startTarget({ onConnection: (socket) => socket.end('220 welcome') })
    const { proxy } = await startServer()
    for (let round = 0; round < 50; round++) {
      const { source } = await open({ proxy: `socks5://${proxy}`, destination: target.address })
      expect(await textOf(source)).toBe('220 welcome')
    }
  })
})

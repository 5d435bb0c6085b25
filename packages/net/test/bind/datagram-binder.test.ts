import { Socket } from 'node:dgram'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { datagramBinder, type DatagramBinderSettings } from '@it-socks/net'
import { openDatagramSocket } from '../../../../test/support/datagram-socket.ts'

const open = (settings?: DatagramBinderSettings) => openDatagramSocket(datagramBinder(settings))

// What every engine's datagram sockets do is in `test/engines`.
describe('what a datagram socket of Node’s cannot send', () => {
  it('is dropped where too much waits to be sent already', async () => {
    const [one, two] = [await open({ queue: 1000 }), await open()]
    const waiting = vi.spyOn(Socket.prototype, 'getSendQueueSize').mockReturnValue(998)
    onTestFinished(() => waiting.mockRestore())
    one.socket.send(Buffer.from('abc'), two.socket.localAddress)
    one.socket.send(Buffer.from('ab'), two.socket.localAddress)
    expect(one.dropped).toMatchObject([{ name: 'SocksError', message: 'more than 1000 bytes wait to be sent' }])
    expect((await two.receive(1)).map(({ data }) => data.toString())).toEqual(['ab'])
  })

  it('is told also where the system reports it by itself, and the socket goes on', async () => {
    const sockets = vi.spyOn(Socket.prototype, 'setSendBufferSize')
    onTestFinished(() => sockets.mockRestore())
    const one = await open()
    const error = Object.assign(new Error('recvmsg ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const [node] = sockets.mock.contexts as [Socket]
    node.emit('error', error)
    expect(one.dropped).toEqual([error])
    const two = await open()
    two.socket.send(Buffer.from('hello'), one.socket.localAddress)
    expect(await one.receive(1)).toHaveLength(1)
  })
})

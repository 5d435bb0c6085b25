import { expect, it, onTestFinished } from 'vitest'
import type { Address } from '@it-socks/protocol'
import { take } from '../../../test/support/connected.ts'
import { all, failureOf } from '../../../test/support/duplex.ts'
import { describeEpoll, epoll } from './setup.ts'

describeEpoll('what the engine takes for granted of the kernel', () => {
  it('is that a socket which is accepted has TCP_NODELAY from the one that listens', async () => {
    const {
      AF_INET,
      IPPROTO_TCP,
      SOCK_STREAM,
      TCP_NODELAY,
      accept4,
      allocate,
      bind,
      checked,
      close,
      connect,
      getsockname,
      getsockopt,
      listen,
      setsockopt,
      socket,
      socketAddress
    } = await import('@it-socks/syscall')
    const open = (fd: number): number => {
      checked(fd, 'socket')
      onTestFinished(() => void close(fd))
      return fd
    }
    const option = allocate(8)
    option.view.setInt32(0, 1, true)
    const at = socketAddress()
    const listening = open(socket(AF_INET, SOCK_STREAM, 0))
    checked(setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, option.address, 4), 'setsockopt')
    checked(bind(listening, at.address, at.write({ host: '127.0.0.1', port: 0 })), 'bind')
    checked(listen(listening, 1), 'listen')
    at.clear()
    checked(getsockname(listening, at.address, at.lengthAddress), 'getsockname')
    const client = open(socket(AF_INET, SOCK_STREAM, 0))
    checked(connect(client, at.address, at.write(at.read()!)), 'connect')
    at.clear()
    const accepted = open(accept4(listening, at.address, at.lengthAddress, 0))
    option.view.setInt32(0, 0, true)
    option.view.setInt32(4, 4, true)
    checked(getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, option.address, option.address + 4), 'getsockopt')
    expect(option.view.getInt32(0, true)).toBe(1)
  })

  // Node asks for the address later, when there is none, and rules would take such a client for one on a unix socket.
  it('is that it knows by address who has reset before it was accepted', async () => {
    const { AF_INET, SOCK_STREAM, SOL_SOCKET, SO_LINGER, allocate, ...kernel } = await import('@it-socks/syscall')
    const listener = epoll.listen({ host: '127.0.0.1', port: 0 })
    onTestFinished(() => listener.close())
    const endpoint = (await listener.listening) as Address
    const at = kernel.socketAddress()
    const fd = kernel.checked(kernel.socket(AF_INET, SOCK_STREAM, 0), 'socket')
    kernel.checked(kernel.connect(fd, at.address, at.write(endpoint)), 'connect')
    at.clear()
    kernel.checked(kernel.getsockname(fd, at.address, at.lengthAddress), 'getsockname')
    const linger = allocate(8)
    linger.view.setInt32(0, 1, true)
    kernel.checked(kernel.setsockopt(fd, SOL_SOCKET, SO_LINGER, linger.address, 8), 'setsockopt')
    kernel.close(fd)
    const connection = await take(listener)
    expect(connection.remoteAddress).toEqual(at.read())
    expect(await failureOf(all(connection.source))).toMatchObject({ code: 'ECONNRESET', syscall: 'read' })
  })
})

import { describe, expect, it, onTestFinished } from 'vitest'
import {
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
} from '@it-socks/syscall'

describe('what the engine takes for granted of the kernel', () => {
  it('is that a socket which is accepted has TCP_NODELAY from the one that listens', () => {
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
})

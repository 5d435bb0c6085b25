import { describe, expect, it } from 'vitest'
import {
  AF_INET,
  EAGAIN,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  addressOf,
  allocate,
  checked,
  close,
  recv,
  send,
  shutdown,
  socket,
  systemError
} from '@it-socks/syscall'
import { hear, pair, say, shut } from './setup.ts'

const memory = allocate(100)

describe('a system call', () => {
  it('returns what the kernel does', () => {
    const [ours, peer] = pair()
    say(peer, 'hello')
    expect(recv(ours, memory.address, 3, 0)).toBe(3)
    expect(hear(ours)).toBe('lo')
    shutdown(peer, SHUT_WR)
    expect(recv(ours, memory.address, 100, 0)).toBe(0)
  })

  it('returns an error as a negative number, each its own', () => {
    const [ours, peer] = pair()
    expect(recv(ours, memory.address, 100, MSG_DONTWAIT)).toBe(-EAGAIN)
    expect(recv(1_000_000, memory.address, 100, 0)).toBe(-9)
    shut(peer)
    expect(send(ours, memory.address, 1, MSG_NOSIGNAL)).toBe(-32)
    expect(close(-1)).toBe(-9)
  })

  it('that goes wrong is an error as Node has them', () => {
    const fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket')
    const result = shutdown(fd, SHUT_WR)
    close(fd)
    expect(() => checked(result, 'shutdown')).toThrow(
      expect.objectContaining({ message: 'shutdown ENOTCONN', code: 'ENOTCONN', errno: -107, syscall: 'shutdown' })
    )
    expect(systemError(-104, 'recv')).toMatchObject({ message: 'recv ECONNRESET', code: 'ECONNRESET' })
  })
})

describe('memory', () => {
  it.each([1, 8, 64, 100, 1_048_576])('of %d bytes is zeros, and stays where it is', (length) => {
    const one = allocate(length)
    expect(one.bytes.length).toBe(length)
    expect(one.view.byteLength).toBe(length)
    expect(one.bytes.every((byte) => byte === 0)).toBe(true)
    expect(addressOf(new Uint8Array(one.bytes.buffer))).toBe(one.address)
  })

  it('is that which the kernel writes', () => {
    const [ours, peer] = pair()
    say(peer, 'hello')
    expect(recv(ours, memory.address + 10, 5, 0)).toBe(5)
    expect(Buffer.from(memory.bytes.subarray(9, 16))).toEqual(Buffer.from('\0hello\0'))
  })
})

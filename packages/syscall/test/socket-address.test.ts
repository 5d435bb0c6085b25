import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  bind,
  checked,
  close,
  connect,
  familyOf,
  getpeername,
  getsockname,
  listen,
  socket,
  socketAddress
} from '@it-socks/syscall'
import { hex } from '@it-socks/testing'

const written = (host: string, port: number, scope?: number): Uint8Array => {
  const address = socketAddress()
  const length = address.write({ host, port }, scope)
  return address.memory.bytes.slice(0, length)
}

const open = (family: number): number => {
  const fd = checked(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket')
  onTestFinished(() => void close(fd))
  return fd
}

describe('an address as the kernel has it', () => {
  it.each([
    ['127.0.0.1', 1080, undefined, hex`02 00  04 38  7f 00 00 01  00 00 00 00 00 00 00 00`],
    [
      '::1',
      80,
      undefined,
      hex`0a 00  00 50  00 00 00 00  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01  00 00 00 00`
    ],
    ['fe80::1', 80, 3, hex`0a 00  00 50  00 00 00 00  fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01  03 00 00 00`]
  ])('%s, port %d, scope %s', (host, port, scope, expected) => {
    expect(written(host, port, scope)).toEqual(Uint8Array.from(expected))
  })

  it('has nothing left of one that was there before', () => {
    const address = socketAddress()
    address.write({ host: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', port: 65_535 }, 9)
    const length = address.write({ host: '192.0.2.1', port: 1 })
    expect(address.memory.bytes.slice(0, length)).toEqual(
      Uint8Array.from(hex`02 00  00 01  c0 00 02 01  00 00 00 00 00 00 00 00`)
    )
  })

  it.each([
    ['192.0.2.1', 443],
    ['255.255.255.255', 65_535],
    ['0.0.0.0', 0],
    ['2001:db8::1', 443],
    ['::', 0]
  ])('comes back as it went: %s, port %d', (host, port) => {
    const address = socketAddress()
    address.write({ host, port })
    expect(address.read()).toEqual({ host, port })
  })

  it('of IPv4 comes back as that where a socket of IPv6 has it', () => {
    const address = socketAddress()
    address.write({ host: '::1', port: 80 })
    address.memory.bytes.set(hex`00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 07`, 8)
    expect(address.read()).toEqual({ host: '192.0.2.7', port: 80 })
  })

  it('says which interface a link-local one is on', () => {
    const address = socketAddress()
    address.write({ host: 'fe80::1', port: 80 }, 3)
    expect(address.read()).toEqual({ host: 'fe80::1%3', port: 80 })
  })

  it('is not taken for the one before it: same host, other port; other host, same port', () => {
    const address = socketAddress()
    const read = [
      { host: '192.0.2.1', port: 1 },
      { host: '192.0.2.1', port: 2 },
      { host: '192.0.2.2', port: 2 },
      { host: '0.0.0.0', port: 2 },
      { host: '192.0.2.2', port: 2 }
    ].map((each) => {
      address.write(each)
      return { wrote: each, read: address.read() }
    })
    for (const { wrote, read: came } of read) expect(came).toEqual(wrote)
  })

  it('is the one that Node has for the same socket', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const accepted = once(server, 'connection')
    const fd = open(AF_INET)
    const address = socketAddress()
    checked(connect(fd, address.address, address.write({ host: '127.0.0.1', port })), 'connect')
    const [peer] = (await accepted) as [{ remotePort: number; destroy(): void }]
    onTestFinished(() => {
      peer.destroy()
      server.close()
    })
    address.clear()
    checked(getpeername(fd, address.address, address.lengthAddress), 'getpeername')
    expect(address.read()).toEqual({ host: '127.0.0.1', port })
    address.clear()
    checked(getsockname(fd, address.address, address.lengthAddress), 'getsockname')
    expect(address.read()).toEqual({ host: '127.0.0.1', port: peer.remotePort })
  })
})

describe('the path of a unix socket', () => {
  it('is bound, and is no address', () => {
    const path = `/tmp/it-socks-${process.pid}-${Math.random()}`
    const fd = open(AF_UNIX)
    const address = socketAddress()
    checked(bind(fd, address.address, address.writePath(path)), 'bind')
    checked(listen(fd, 1), 'listen')
    const client = open(AF_UNIX)
    checked(connect(client, address.address, address.writePath(path)), 'connect')
    address.clear()
    checked(getsockname(client, address.address, address.lengthAddress), 'getsockname')
    expect(address.read()).toBeUndefined()
  })

  it('has nothing left of one that was there before', () => {
    const address = socketAddress()
    address.writePath(`/${'x'.repeat(100)}`)
    const length = address.writePath('/y')
    expect([length, ...address.memory.bytes.slice(0, 8)]).toEqual([5, 1, 0, 0x2f, 0x79, 0, 0, 0, 0])
  })

  it('may have 107 bytes, and not 108', () => {
    const address = socketAddress()
    expect(address.writePath(`/${'x'.repeat(106)}`)).toBe(110)
    expect(() => address.writePath(`/${'ä'.repeat(54)}`)).toThrow(
      new RangeError('the path of a unix socket has 107 bytes at most, not 109')
    )
  })
})

describe('the family of an IP address', () => {
  it.each([
    ['192.0.2.1', AF_INET],
    ['::1', AF_INET6],
    ['::ffff:192.0.2.1', AF_INET]
  ])('%s', (ip, family) => {
    expect(familyOf(ip)).toBe(family)
  })
})

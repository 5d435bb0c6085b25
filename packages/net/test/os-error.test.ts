import { describe, expect, it } from 'vitest'
import { bindError, dialError, replyOf } from '@it-socks/net'
import { RefusedError } from '@it-socks/protocol'

const systemError = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect' })

const table = [
  ['ECONNREFUSED', 'connection-refused', 'ERR_SOCKS_CONNECTION_REFUSED'],
  ['ENETUNREACH', 'network-unreachable', 'ERR_SOCKS_NETWORK_UNREACHABLE'],
  ['ENETDOWN', 'network-unreachable', 'ERR_SOCKS_NETWORK_UNREACHABLE'],
  ['EADDRNOTAVAIL', 'network-unreachable', 'ERR_SOCKS_NETWORK_UNREACHABLE'],
  ['EHOSTUNREACH', 'host-unreachable', 'ERR_SOCKS_HOST_UNREACHABLE'],
  ['EHOSTDOWN', 'host-unreachable', 'ERR_SOCKS_HOST_UNREACHABLE'],
  ['ENOTFOUND', 'host-unreachable', 'ERR_SOCKS_HOST_UNREACHABLE'],
  ['EAI_AGAIN', 'host-unreachable', 'ERR_SOCKS_HOST_UNREACHABLE'],
  ['ETIMEDOUT', 'ttl-expired', 'ERR_SOCKS_TTL_EXPIRED'],
  ['EACCES', 'not-allowed', 'ERR_SOCKS_NOT_ALLOWED'],
  ['EPERM', 'not-allowed', 'ERR_SOCKS_NOT_ALLOWED'],
  ['EAFNOSUPPORT', 'address-type-not-supported', 'ERR_SOCKS_ADDRESS_TYPE_NOT_SUPPORTED'],
  ['EMFILE', 'general-failure', 'ERR_SOCKS_GENERAL_FAILURE'],
  ['ECONNRESET', 'general-failure', 'ERR_SOCKS_GENERAL_FAILURE']
] as const

describe('an error of the operating system', () => {
  it.each(table)('%s becomes the reply %s', (code, reply, named) => {
    const cause = systemError(code)
    expect(replyOf(cause)).toBe(reply)
    const error = dialError({ host: '2001:db8::1', port: 443 }, cause)
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({ reply, code: named, message: `cannot reach [2001:db8::1]:443: ${code}` })
    expect(error.cause).toBe(cause)
  })

  it.each([undefined, null, 'a string', new Error('without a code'), { code: 'toString' }, { code: 5 }])(
    'is a general failure where it is none: %s',
    (error) => {
      expect(replyOf(error)).toBe('general-failure')
    }
  )

  it('says what was thrown where that has no code', () => {
    const { message } = dialError({ host: 'example.com', port: 80 }, new Error('no route'))
    expect(message).toBe('cannot reach example.com:80: Error: no route')
  })

  it.each([
    ['EADDRNOTAVAIL', 'general-failure'],
    ['EADDRINUSE', 'general-failure'],
    ['EACCES', 'not-allowed'],
    ['EAFNOSUPPORT', 'address-type-not-supported']
  ])('%s becomes the reply %s where a socket was to be bound', (code, reply) => {
    const cause = systemError(code)
    expect(bindError('192.0.2.1', cause)).toMatchObject({
      name: 'RefusedError',
      reply,
      message: `cannot bind a socket to 192.0.2.1: ${code}`,
      cause
    })
  })
})

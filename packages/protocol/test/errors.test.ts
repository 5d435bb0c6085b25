import { describe, expect, it } from 'vitest'
import * as protocol from '@it-socks/protocol'
import { MalformedError, RefusedError, SocksError, type RefusalName } from '@it-socks/protocol'

/** One of each class, with the code and the reply that it must have. */
const table: ReadonlyArray<readonly [SocksError, string, RefusalName]> = [
  [new protocol.SocksError('any'), 'ERR_SOCKS', 'general-failure'],
  [new protocol.MalformedError('any'), 'ERR_SOCKS_MALFORMED', 'general-failure'],
  [new protocol.VersionError(5, 4), 'ERR_SOCKS_VERSION', 'general-failure'],
  [new protocol.ReservedError(1), 'ERR_SOCKS_RESERVED', 'general-failure'],
  [new protocol.CommandError(9), 'ERR_SOCKS_COMMAND', 'command-not-supported'],
  [new protocol.AddressTypeError(2), 'ERR_SOCKS_ADDRESS_TYPE', 'address-type-not-supported'],
  [new protocol.NoMethodsError(), 'ERR_SOCKS_NO_METHODS', 'general-failure'],
  [new protocol.EmptyNameError('UNAME'), 'ERR_SOCKS_EMPTY_NAME', 'general-failure'],
  [new protocol.TextError('UNAME'), 'ERR_SOCKS_TEXT', 'general-failure'],
  [new protocol.UnterminatedError('USERID', 255), 'ERR_SOCKS_UNTERMINATED', 'general-failure'],
  [new protocol.TruncatedError('greeting', 'VER', 0), 'ERR_SOCKS_TRUNCATED', 'general-failure'],
  [new protocol.TooLongError('UNAME', 256, 255), 'ERR_SOCKS_TOO_LONG', 'general-failure'],
  [new protocol.OctetError('REP', 256), 'ERR_SOCKS_OCTET', 'general-failure'],
  [new protocol.InvalidAddressError('any'), 'ERR_SOCKS_INVALID_ADDRESS', 'general-failure'],
  [new protocol.ConfigurationError('any'), 'ERR_SOCKS_CONFIGURATION', 'general-failure'],
  [new protocol.NoAcceptableMethodError([0]), 'ERR_SOCKS_NO_ACCEPTABLE_METHOD', 'not-allowed'],
  [new protocol.UnofferedMethodError(2, [0]), 'ERR_SOCKS_UNOFFERED_METHOD', 'general-failure'],
  [new protocol.AuthenticationError(), 'ERR_SOCKS_AUTHENTICATION', 'not-allowed'],
  [new protocol.RefusedError('not-allowed'), 'ERR_SOCKS_NOT_ALLOWED', 'not-allowed'],
  [new protocol.UnresolvableError('no.example'), 'ERR_SOCKS_UNRESOLVABLE', 'host-unreachable'],
  [new protocol.RuleError('deny to private', '10.0.0.1:22'), 'ERR_SOCKS_RULE', 'not-allowed'],
  [new protocol.UnassignedReplyError(99), 'ERR_SOCKS_UNASSIGNED_REPLY', 'general-failure'],
  [new protocol.ProxyUnreachableError('192.0.2.1:1080'), 'ERR_SOCKS_PROXY_UNREACHABLE', 'general-failure'],
  [new protocol.ProxyClosedError('reply'), 'ERR_SOCKS_PROXY_CLOSED', 'general-failure'],
  [new protocol.DeadlineError('dialling', 10), 'ERR_SOCKS_DEADLINE', 'ttl-expired'],
  [new protocol.IdleError(10), 'ERR_SOCKS_IDLE', 'general-failure'],
  [new protocol.ClosedError(), 'ERR_SOCKS_CLOSED', 'general-failure']
]

const refusals: ReadonlyArray<readonly [RefusalName, string]> = [
  ['general-failure', 'ERR_SOCKS_GENERAL_FAILURE'],
  ['not-allowed', 'ERR_SOCKS_NOT_ALLOWED'],
  ['network-unreachable', 'ERR_SOCKS_NETWORK_UNREACHABLE'],
  ['host-unreachable', 'ERR_SOCKS_HOST_UNREACHABLE'],
  ['connection-refused', 'ERR_SOCKS_CONNECTION_REFUSED'],
  ['ttl-expired', 'ERR_SOCKS_TTL_EXPIRED'],
  ['command-not-supported', 'ERR_SOCKS_COMMAND_NOT_SUPPORTED'],
  ['address-type-not-supported', 'ERR_SOCKS_ADDRESS_TYPE_NOT_SUPPORTED'],
  ['onion-descriptor-not-found', 'ERR_SOCKS_ONION_DESCRIPTOR_NOT_FOUND'],
  ['onion-descriptor-invalid', 'ERR_SOCKS_ONION_DESCRIPTOR_INVALID'],
  ['onion-introduction-failed', 'ERR_SOCKS_ONION_INTRODUCTION_FAILED'],
  ['onion-rendezvous-failed', 'ERR_SOCKS_ONION_RENDEZVOUS_FAILED'],
  ['onion-client-authorization-missing', 'ERR_SOCKS_ONION_CLIENT_AUTHORIZATION_MISSING'],
  ['onion-client-authorization-wrong', 'ERR_SOCKS_ONION_CLIENT_AUTHORIZATION_WRONG'],
  ['onion-address-invalid', 'ERR_SOCKS_ONION_ADDRESS_INVALID'],
  ['onion-introduction-timed-out', 'ERR_SOCKS_ONION_INTRODUCTION_TIMED_OUT']
]

describe('errors', () => {
  it.each(table)('%s has its code and its reply', (error, code, reply) => {
    expect(error).toBeInstanceOf(SocksError)
    expect(error.name).toBe(error.constructor.name)
    expect(error).toMatchObject({ code, reply })
    expect(error.message).not.toBe('')
  })

  it('are all in the table above, each with a code of its own', () => {
    const classes = Object.values<unknown>(protocol).filter(
      (value) => typeof value === 'function' && (value === SocksError || value.prototype instanceof SocksError)
    )
    expect(new Set(classes)).toEqual(new Set(table.map(([error]) => error.constructor)))
    expect(new Set(table.map(([, code]) => code)).size).toBe(table.length)
  })

  it.each(refusals)('a refusal as %s has the code %s', (reply, code) => {
    expect(new RefusedError(reply)).toMatchObject({ name: 'RefusedError', code, reply })
  })

  it('keep the error underneath', () => {
    const cause = new Error('ECONNREFUSED')
    expect(new RefusedError('connection-refused', { cause }).cause).toBe(cause)
    expect(new protocol.ProxyUnreachableError('192.0.2.1:1080', { cause }).cause).toBe(cause)
    expect(new protocol.UnresolvableError('no.example', { cause }).cause).toBe(cause)
    expect(new protocol.AuthenticationError('no', { cause }).cause).toBe(cause)
  })

  it('guess from the first byte that the peer speaks HTTP', () => {
    expect(new protocol.VersionError(5, 0x47).message).toBe(
      'VER must be 0x05, received 0x47 ("G": is the peer speaking HTTP?)'
    )
    expect(new protocol.VersionError(5, 4).message).toBe('VER must be 0x05, received 0x04')
  })

  it('name every version that would have done', () => {
    expect(new protocol.VersionError([4, 5], 3).message).toBe('VER must be 0x04 or 0x05, received 0x03')
    expect(new protocol.VersionError([5], 4).message).toBe('VER must be 0x05, received 0x04')
  })

  it('name the rule that says no', () => {
    expect(new protocol.RuleError('deny to private', '10.0.0.1:22')).toMatchObject({
      rule: 'deny to private',
      message: '10.0.0.1:22 is not allowed: deny to private'
    })
    expect(new protocol.RuleError('any', 'any')).toBeInstanceOf(RefusedError)
  })

  it('tell which fields had been read where a message went wrong', () => {
    const read = () => protocol.decode(protocol.reply, Uint8Array.of(5, 2, 0, 9))
    expect(read).toThrow(expect.objectContaining({ within: { message: 'reply', fields: { rep: 2 } } }))
    expect(read).toThrow(MalformedError)
  })
})

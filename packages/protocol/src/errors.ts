import { replyMessage, type RefusalName } from './reply-code.ts'

/** What every error of it-socks may carry beside its message. */
export interface SocksErrorOptions extends ErrorOptions {
  /** The reply that a server gives its client for this failure, or that the client was given. */
  reply?: RefusalName
}

/**
 * The root of every failure that it-socks names. `name` is the class, `code` is stable and meant for programs,
 * `cause` is the error underneath where there is one.
 */
export class SocksError extends Error {
  override readonly name: string = 'SocksError'
  readonly code: string = 'ERR_SOCKS'
  /** The reply that tells a SOCKS client of this failure (RFC 1928 section 6). */
  readonly reply: RefusalName

  constructor(message: string, { reply = 'general-failure', ...options }: SocksErrorOptions = {}) {
    super(message, options)
    this.reply = reply
  }
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`

// --- The peer broke the protocol ------------------------------------------------------------------------------------

/** The bytes are not what the RFC allows at this place. Every way to be malformed is a class of its own below. */
export class MalformedError extends SocksError {
  override readonly name: string = 'MalformedError'
  override readonly code: string = 'ERR_SOCKS_MALFORMED'
  /** Which message was being read, and the fields of it that had been decoded when it went wrong. */
  declare within?: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
}

/** VER, for SOCKS4 VN, is not the version that the message must have. */
export class VersionError extends MalformedError {
  override readonly name = 'VersionError'
  override readonly code = 'ERR_SOCKS_VERSION'

  constructor(expected: number | readonly number[], received: number, field = 'VER') {
    const letter = String.fromCharCode(received)
    const hint = /[A-Z]/.test(letter) ? ` ("${letter}": is the peer speaking HTTP?)` : ''
    super(`${field} must be ${[expected].flat().map(hex).join(' or ')}, received ${hex(received)}${hint}`)
  }
}

/** RSV is not zero. */
export class ReservedError extends MalformedError {
  override readonly name = 'ReservedError'
  override readonly code = 'ERR_SOCKS_RESERVED'

  constructor(received: number) {
    super(`RSV must be 0x00, received ${hex(received)}`)
  }
}

/** CMD, for SOCKS4 CD, is none that we know. */
export class CommandError extends MalformedError {
  override readonly name = 'CommandError'
  override readonly code = 'ERR_SOCKS_COMMAND'

  constructor(received: number, field = 'CMD') {
    super(`unknown ${field} ${hex(received)}`, { reply: 'command-not-supported' })
  }
}

/** ATYP is none that we know. */
export class AddressTypeError extends MalformedError {
  override readonly name = 'AddressTypeError'
  override readonly code = 'ERR_SOCKS_ADDRESS_TYPE'

  constructor(received: number) {
    super(`unknown ATYP ${hex(received)}`, { reply: 'address-type-not-supported' })
  }
}

/** A greeting that offers no method. */
export class NoMethodsError extends MalformedError {
  override readonly name = 'NoMethodsError'
  override readonly code = 'ERR_SOCKS_NO_METHODS'

  constructor() {
    super('NMETHODS is zero: the greeting offers no authentication method')
  }
}

/** A domain or a user name of no bytes. */
export class EmptyNameError extends MalformedError {
  override readonly name = 'EmptyNameError'
  override readonly code = 'ERR_SOCKS_EMPTY_NAME'

  constructor(field: string) {
    super(`${field} is empty`)
  }
}

/** Text that is not UTF-8 or cannot become it, or a domain with control characters or spaces. */
export class TextError extends MalformedError {
  override readonly name = 'TextError'
  override readonly code = 'ERR_SOCKS_TEXT'

  constructor(field: string, options?: ErrorOptions) {
    super(`${field} is not text that can stand there`, options)
  }
}

/** Text that a NUL must end goes on behind the most bytes that it may have. */
export class UnterminatedError extends MalformedError {
  override readonly name = 'UnterminatedError'
  override readonly code = 'ERR_SOCKS_UNTERMINATED'

  constructor(field: string, maximum: number) {
    super(`${field} has more than ${maximum} bytes before its NUL`)
  }
}

/** The bytes ended in the middle of a message, or before it. */
export class TruncatedError extends MalformedError {
  override readonly name = 'TruncatedError'
  override readonly code = 'ERR_SOCKS_TRUNCATED'
  /** How many bytes of the message had come. */
  readonly received: number

  constructor(message: string, field: string, received: number) {
    super(`the ${message} ended after ${received} bytes, in ${field}`)
    this.received = received
  }
}

// --- What was to be sent cannot be --------------------------------------------------------------------------------------

/** A domain, a user name or a password of more than 255 bytes of UTF-8: SOCKS counts lengths in one byte. */
export class TooLongError extends SocksError {
  override readonly name = 'TooLongError'
  override readonly code = 'ERR_SOCKS_TOO_LONG'

  constructor(field: string, length: number, maximum: number) {
    super(`${field} has ${length} bytes, and ${maximum} is the most it can have`)
  }
}

/** A number that does not fit into the one byte of its field. */
export class OctetError extends SocksError {
  override readonly name = 'OctetError'
  override readonly code = 'ERR_SOCKS_OCTET'

  constructor(field: string, value: number) {
    super(`${field} is a whole number from 0 to 255, not ${value}`)
  }
}

/** An address that cannot be read or written: no host, a port out of range, an IPv6 address without brackets. */
export class InvalidAddressError extends SocksError {
  override readonly name = 'InvalidAddressError'
  override readonly code = 'ERR_SOCKS_INVALID_ADDRESS'
}

/** Options that contradict each other, or that would be unsafe to honour. */
export class ConfigurationError extends SocksError {
  override readonly name = 'ConfigurationError'
  override readonly code = 'ERR_SOCKS_CONFIGURATION'
}

// --- Authentication -----------------------------------------------------------------------------------------------------

/** Client and server have no authentication method in common (METHOD 0xFF). */
export class NoAcceptableMethodError extends SocksError {
  override readonly name = 'NoAcceptableMethodError'
  override readonly code = 'ERR_SOCKS_NO_ACCEPTABLE_METHOD'

  constructor(offered: readonly number[]) {
    super(`no acceptable authentication method among ${offered.map(hex).join(', ')}`, { reply: 'not-allowed' })
  }
}

/** The server chose a method that the client had not offered. */
export class UnofferedMethodError extends SocksError {
  override readonly name = 'UnofferedMethodError'
  override readonly code = 'ERR_SOCKS_UNOFFERED_METHOD'

  constructor(selected: number, offered: readonly number[]) {
    super(`the proxy selected method ${hex(selected)}, offered were ${offered.map(hex).join(', ')}`)
  }
}

/** The credentials were refused. */
export class AuthenticationError extends SocksError {
  override readonly name = 'AuthenticationError'
  override readonly code = 'ERR_SOCKS_AUTHENTICATION'

  constructor(message = 'authentication failed', options?: ErrorOptions) {
    super(message, { ...options, reply: 'not-allowed' })
  }
}

// --- The request was refused --------------------------------------------------------------------------------------------

/**
 * The request was refused, here or by the proxy: the same class, `code` and `reply` on both sides of the wire.
 * A stage of your own refuses a request by throwing one.
 *
 * @example
 *
 * ```ts
 * import { RefusedError } from '@it-socks/protocol'
 *
 * const error = new RefusedError('not-allowed')
 * error.code // => 'ERR_SOCKS_NOT_ALLOWED'
 * error.message // => 'connection not allowed by ruleset'
 * ```
 */
export class RefusedError extends SocksError {
  override readonly name: string = 'RefusedError'
  override readonly code: string

  constructor(reply: RefusalName, options: ErrorOptions & { message?: string } = {}) {
    super(options.message ?? replyMessage(reply), { ...options, reply })
    this.code = `ERR_SOCKS_${reply.toUpperCase().replaceAll('-', '_')}`
  }
}

/** The target's name has no address. Travels as "host unreachable", the nearest reply that SOCKS has. */
export class UnresolvableError extends RefusedError {
  override readonly name = 'UnresolvableError'
  override readonly code = 'ERR_SOCKS_UNRESOLVABLE'

  constructor(host: string, options?: ErrorOptions) {
    super('host-unreachable', { ...options, message: `${host} cannot be resolved` })
  }
}

/** A rule of this server's says no. Travels as "not allowed by ruleset". */
export class RuleError extends RefusedError {
  override readonly name = 'RuleError'
  override readonly code = 'ERR_SOCKS_RULE'
  /** The rule's name. */
  readonly rule: string

  constructor(rule: string, what: string) {
    super('not-allowed', { message: `${what} is not allowed: ${rule}` })
    this.rule = rule
  }
}

/** The proxy refused with a REP that neither RFC 1928 nor Tor assigns. */
export class UnassignedReplyError extends SocksError {
  override readonly name = 'UnassignedReplyError'
  override readonly code = 'ERR_SOCKS_UNASSIGNED_REPLY'
  /** REP as it came. */
  readonly rep: number

  constructor(rep: number, options?: ErrorOptions) {
    super(`the proxy refused with the unassigned reply ${hex(rep)}`, options)
    this.rep = rep
  }
}

// --- The way to the proxy, and time -------------------------------------------------------------------------------------

/** The proxy itself cannot be reached; `cause` says why. */
export class ProxyUnreachableError extends SocksError {
  override readonly name = 'ProxyUnreachableError'
  override readonly code = 'ERR_SOCKS_PROXY_UNREACHABLE'

  constructor(proxy: string, options?: ErrorOptions) {
    super(`the proxy ${proxy} cannot be reached`, options)
  }
}

/**
 * The proxy closed the connection where it owed an answer, as `ssh -D` does for a target that it cannot reach, or the
 * one that an association lives by.
 */
export class ProxyClosedError extends SocksError {
  override readonly name = 'ProxyClosedError'
  override readonly code = 'ERR_SOCKS_PROXY_CLOSED'
  /** What it owed: the name of a message. */
  readonly owed: string

  constructor(owed: string, { message, ...options }: ErrorOptions & { message?: string } = {}) {
    super(message ?? `the proxy closed the connection instead of answering with a ${owed}`, options)
    this.owed = owed
  }
}

/** A phase took longer than its deadline. */
export class DeadlineError extends SocksError {
  override readonly name = 'DeadlineError'
  override readonly code = 'ERR_SOCKS_DEADLINE'

  constructor(phase: string, milliseconds: number) {
    super(`${phase} took longer than ${milliseconds} ms`, { reply: 'ttl-expired' })
  }
}

/** Nothing went either way through a relay for longer than its idle timeout. */
export class IdleError extends SocksError {
  override readonly name = 'IdleError'
  override readonly code = 'ERR_SOCKS_IDLE'

  constructor(milliseconds: number) {
    super(`idle for ${milliseconds} ms`)
  }
}

/** A connection ended before it was established, or was closed by its owner. */
export class ClosedError extends SocksError {
  override readonly name = 'ClosedError'
  override readonly code = 'ERR_SOCKS_CLOSED'

  constructor(message = 'the connection was closed') {
    super(message)
  }
}

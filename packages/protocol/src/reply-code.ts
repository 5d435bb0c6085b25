/**
 * The replies a SOCKS5 server can give, by name (RFC 1928 section 6), and those that Tor adds for onion services (its
 * proposal 304). The names are theirs; the codes are what travels in REP.
 */
const replies = {
  succeeded: { code: 0x00, message: 'succeeded' },
  'general-failure': { code: 0x01, message: 'general SOCKS server failure' },
  'not-allowed': { code: 0x02, message: 'connection not allowed by ruleset' },
  'network-unreachable': { code: 0x03, message: 'network unreachable' },
  'host-unreachable': { code: 0x04, message: 'host unreachable' },
  'connection-refused': { code: 0x05, message: 'connection refused' },
  'ttl-expired': { code: 0x06, message: 'TTL expired: the target did not answer in time' },
  'command-not-supported': { code: 0x07, message: 'command not supported' },
  'address-type-not-supported': { code: 0x08, message: 'address type not supported' },
  'onion-descriptor-not-found': { code: 0xf0, message: 'the descriptor of the onion service cannot be found' },
  'onion-descriptor-invalid': { code: 0xf1, message: 'the descriptor of the onion service is invalid' },
  'onion-introduction-failed': { code: 0xf2, message: 'no introduction point of the onion service works' },
  'onion-rendezvous-failed': { code: 0xf3, message: 'the rendezvous with the onion service failed' },
  'onion-client-authorization-missing': { code: 0xf4, message: 'the onion service wants a client authorization' },
  'onion-client-authorization-wrong': { code: 0xf5, message: 'the onion service refuses our client authorization' },
  'onion-address-invalid': { code: 0xf6, message: 'the onion address is invalid' },
  'onion-introduction-timed-out': { code: 0xf7, message: 'the introduction to the onion service took too long' }
} as const

/** The name of a reply that RFC 1928 section 6, or Tor, defines. */
export type ReplyName = keyof typeof replies

/** The name of a reply that says no. */
export type RefusalName = Exclude<ReplyName, 'succeeded'>

const names = new Map<number, ReplyName>(Object.entries(replies).map(([name, { code }]) => [code, name as ReplyName]))

/**
 * The value of REP for a reply (RFC 1928 section 6).
 *
 * @example
 *
 * ```ts
 * import { replyCode } from '@it-socks/protocol'
 *
 * replyCode('connection-refused') // => 5
 * ```
 */
export const replyCode = (name: ReplyName): number => replies[name].code

/**
 * The name of a reply, or `undefined` for a REP that stands for nothing.
 *
 * @example
 *
 * ```ts
 * import { replyName } from '@it-socks/protocol'
 *
 * replyName(2) // => 'not-allowed'
 * replyName(99) // => undefined
 * ```
 */
export const replyName = (code: number): ReplyName | undefined => names.get(code)

/** What a reply says, for people: `connection refused`. */
export const replyMessage = (name: ReplyName): string => replies[name].message

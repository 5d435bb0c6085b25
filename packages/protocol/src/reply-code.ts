/**
 * The replies a SOCKS5 server can give, by name (RFC 1928 section 6). The names are those of the RFC; the codes are
 * what travels in REP.
 */
const codes = {
  succeeded: 0x00,
  'general-failure': 0x01,
  'not-allowed': 0x02,
  'network-unreachable': 0x03,
  'host-unreachable': 0x04,
  'connection-refused': 0x05,
  'ttl-expired': 0x06,
  'command-not-supported': 0x07,
  'address-type-not-supported': 0x08
} as const

/** The name of a reply that RFC 1928 section 6 defines. */
export type ReplyName = keyof typeof codes

/** The name of a reply that says no. */
export type RefusalName = Exclude<ReplyName, 'succeeded'>

const names = new Map<number, ReplyName>(Object.entries(codes).map(([name, code]) => [code, name as ReplyName]))

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
export const replyCode = (name: ReplyName): number => codes[name]

/**
 * The name of a reply, or `undefined` for a REP that RFC 1928 leaves unassigned.
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

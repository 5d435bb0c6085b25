import { unspecified, type Address } from '../address.ts'
import { SocksError } from '../errors.ts'
import { address } from '../fields/address.ts'
import { command, octet, reserved, version } from '../fields/octet.ts'
import { message, type Message } from '../message.ts'
import { replyCode, replyName } from '../reply-code.ts'

const commands = { connect: 0x01, bind: 0x02, udpAssociate: 0x03, resolve: 0xf0, resolvePtr: 0xf1 } as const

/**
 * CMD by name: CONNECT, BIND, UDP ASSOCIATE (RFC 1928 section 4), and Tor's RESOLVE and RESOLVE_PTR (section 2 of its
 * SOCKS extensions).
 */
export type CommandName = keyof typeof commands

/** What the client wants done. */
export interface Request {
  readonly command: CommandName
  /** DST.ADDR and DST.PORT. */
  readonly destination: Address
}

/**
 * Client to server (RFC 1928 section 4).
 *
 *     | VER 0x05 | CMD    | RSV 0x00 | ATYP   | DST.ADDR | DST.PORT |
 *     | 1 byte   | 1 byte | 1 byte   | 1 byte | by ATYP  | 2 bytes  |
 */
export const request: Message<Request> = message<Request>('request', [
  version(5),
  ['command', command(commands)],
  reserved,
  ['destination', address('DST')]
])

/** What became of the request. */
export interface Reply {
  /** REP: 0 is success; `replyName` has the names. */
  readonly rep: number
  /** BND.ADDR and BND.PORT: for CONNECT, the address from which the server reached the destination. */
  readonly bound: Address
}

/**
 * Server to client (RFC 1928 section 6).
 *
 *     | VER 0x05 | REP    | RSV 0x00 | ATYP   | BND.ADDR | BND.PORT |
 *     | 1 byte   | 1 byte | 1 byte   | 1 byte | by ATYP  | 2 bytes  |
 */
export const reply: Message<Reply> = message<Reply>('reply', [
  version(5),
  ['rep', octet('REP', (rep) => replyName(rep) ?? 'unassigned')],
  reserved,
  ['bound', address('BND')]
])

/** The reply that tells the client of a failure: the error's own where it has one, else a general failure. */
export const refusal = (error: unknown): Uint8Array<ArrayBuffer> =>
  reply.encode({
    rep: replyCode(error instanceof SocksError ? error.reply : 'general-failure'),
    bound: unspecified
  })

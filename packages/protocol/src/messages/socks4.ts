import { unspecified, type Address } from '../address.ts'
import { AuthenticationError } from '../errors.ts'
import { address4, asked4, type Asked4 } from '../fields/address4.ts'
import { command, octet, version } from '../fields/octet.ts'
import { message, type Message } from '../message.ts'

const commands = { connect: 0x01, bind: 0x02 } as const

/** What a SOCKS4 client wants done, and who it says it is. */
export interface Request4 extends Asked4 {
  /** CD: CONNECT or BIND. SOCKS4 has no other. */
  readonly command: keyof typeof commands
}

const wire = message<{ command: Request4['command']; asked: Asked4 }>('SOCKS4 request', [
  version(4, 'VN'),
  ['command', command(commands, 'CD')],
  ['asked', asked4]
])

/**
 * Client to server (the SOCKS4 memo; SOCKS4a for the domain).
 *
 *     | VN 0x04 | CD     | DSTPORT | DSTIP   | USERID         | 0x00   |
 *     | 1 byte  | 1 byte | 2 bytes | 4 bytes | up to 255 bytes| 1 byte |
 *
 * Where DSTIP is 0.0.0.x and x is not zero, the client leaves the name to the server (SOCKS4a), and more comes behind:
 *
 *     | DOMAIN           | 0x00   |
 *     | 1 to 255 bytes   | 1 byte |
 *
 * The memos set no bounds; 255 bytes each are ours.
 */
export const request4: Message<Request4> = {
  name: wire.name,
  decode(parts) {
    const { command, asked } = wire.decode(parts)
    return { command, ...asked }
  },
  encode: ({ command, ...asked }) => wire.encode({ command, asked })
}

/** CD of a reply, by name (the SOCKS4 memo). */
export const reply4Codes = {
  /** The request is granted. */
  granted: 0x5a,
  /** The request is rejected or has failed: SOCKS4 does not tell the two apart. */
  rejected: 0x5b,
  /** The server cannot reach the identd of the client. */
  identdUnreachable: 0x5c,
  /** The client's identd, or the server, does not accept the user id. */
  userIdRefused: 0x5d
} as const

const meanings = new Map<number, string>([
  [reply4Codes.granted, 'granted'],
  [reply4Codes.rejected, 'rejected or failed'],
  [reply4Codes.identdUnreachable, 'identd cannot be reached'],
  [reply4Codes.userIdRefused, 'the user id is refused']
])

/** What became of a SOCKS4 request. */
export interface Reply4 {
  /** CD: 0x5A is success; {@link reply4Codes} has the others. */
  readonly cd: number
  /** DSTPORT and DSTIP, an IPv4 address. Of use for BIND; 0.0.0.0 stands for the address at which the client reached us. */
  readonly bound: Address
}

/**
 * Server to client (the SOCKS4 memo). VN is that of the reply: 0. Some servers send 4 there, which is read too.
 *
 *     | VN 0x00 | CD     | DSTPORT | DSTIP   |
 *     | 1 byte  | 1 byte | 2 bytes | 4 bytes |
 */
export const reply4: Message<Reply4> = message<Reply4>('SOCKS4 reply', [
  version([0, 4], 'VN'),
  ['cd', octet('CD', (cd) => meanings.get(cd) ?? 'unassigned')],
  ['bound', address4]
])

/** The reply that tells a SOCKS4 client of a failure: its user id is refused, or the one that stands for all others. */
export const refusal4 = (error: unknown): Uint8Array<ArrayBuffer> =>
  reply4.encode({
    cd: error instanceof AuthenticationError ? reply4Codes.userIdRefused : reply4Codes.rejected,
    bound: unspecified
  })

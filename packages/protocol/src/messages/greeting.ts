import { methods, octet, version } from '../fields/octet.ts'
import { message, type Message } from '../message.ts'

/** The methods that RFC 1928 section 3 assigns; 0x80 to 0xFE are for private use. */
const methodNames = new Map([
  [0x00, 'no authentication required'],
  [0x01, 'GSSAPI'],
  [0x02, 'username/password'],
  [0xff, 'no acceptable methods']
])

/** METHOD 0xFF: none of the offered methods will do (RFC 1928 section 3). */
export const noAcceptableMethods = 0xff

/** What the client says first: the authentication methods that it can do. */
export interface Greeting {
  /** METHODS, 1 to 255 of them. */
  readonly methods: readonly number[]
}

/**
 * Client to server (RFC 1928 section 3).
 *
 *     | VER 0x05 | NMETHODS  | METHODS          |
 *     | 1 byte   | 1 byte    | NMETHODS bytes   |
 */
export const greeting: Message<Greeting> = message<Greeting>('greeting', [version(5), ['methods', methods]])

/** The server's choice among the methods that the client offered. */
export interface MethodSelection {
  /** METHOD, or 0xFF where none will do. */
  readonly method: number
}

/**
 * Server to client (RFC 1928 section 3).
 *
 *     | VER 0x05 | METHOD |
 *     | 1 byte   | 1 byte |
 */
export const methodSelection: Message<MethodSelection> = message<MethodSelection>('method selection', [
  version(5),
  ['method', octet('METHOD', (method) => methodNames.get(method) ?? (method < 0x80 ? 'unassigned' : 'private'))]
])

import { octet, version } from '../fields/octet.ts'
import { counted } from '../fields/text.ts'
import { message, type Message } from '../message.ts'

/** A user name and password. */
export interface Credentials {
  /** UNAME, 1 to 255 bytes of UTF-8. */
  readonly username: string
  /** PASSWD, 0 to 255 bytes of UTF-8. RFC 1929 asks for at least 1, but curl and others send none for an empty one. */
  readonly password: string
}

/**
 * Client to server, the sub-negotiation of method 0x02 (RFC 1929 section 2). VER is that of the sub-negotiation: 1.
 *
 *     | VER 0x01 | ULEN   | UNAME      | PLEN   | PASSWD     |
 *     | 1 byte   | 1 byte | ULEN bytes | 1 byte | PLEN bytes |
 */
export const credentials: Message<Credentials> = message<Credentials>('credentials', [
  version(1),
  ['username', counted('ULEN', 'UNAME', { empty: 'refused' })],
  ['password', counted('PLEN', 'PASSWD', { empty: 'allowed', secret: true })]
])

/** The server's verdict on the credentials. */
export interface CredentialsStatus {
  /** STATUS: 0 is success, anything else failure. */
  readonly status: number
}

/**
 * Server to client (RFC 1929 section 2). After a failure the server must close.
 *
 *     | VER 0x01 | STATUS |
 *     | 1 byte   | 1 byte |
 */
export const credentialsStatus: Message<CredentialsStatus> = message<CredentialsStatus>('credentials status', [
  version(1),
  ['status', octet('STATUS', (status) => (status === 0 ? 'success' : 'failure'))]
])

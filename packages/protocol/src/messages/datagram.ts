import type { Address } from '../address.ts'
import { address } from '../fields/address.ts'
import { octet, reserved } from '../fields/octet.ts'
import { decode, message, type Message } from '../message.ts'

/** What stands before the data of every datagram between a client and its UDP relay. */
export interface DatagramHeader {
  /** FRAG: 0 for a datagram that stands alone, else its place (1 to 127), with the high bit on the last. */
  readonly fragment: number
  /** DST.ADDR and DST.PORT: the target, or in a datagram to the client the peer that sent it. */
  readonly destination: Address
}

/**
 * Both ways, at the start of each UDP datagram (RFC 1928 section 7).
 *
 *     | RSV 0x0000 | FRAG   | ATYP   | DST.ADDR | DST.PORT | DATA      |
 *     | 2 bytes    | 1 byte | 1 byte | by ATYP  | 2 bytes  | the rest  |
 */
export const datagramHeader: Message<DatagramHeader> = message<DatagramHeader>('datagram header', [
  reserved,
  reserved,
  ['fragment', octet('FRAG', (fragment) => (fragment === 0 ? 'stands alone' : `fragment ${fragment & 0x7f}`))],
  ['destination', address('DST')]
])

/** A datagram as it travels between a client and its relay: the header, and what it carries. */
export interface Datagram extends DatagramHeader {
  readonly data: Uint8Array
}

/** Reads a whole datagram. `data` points into `bytes`. @throws {MalformedError} for a header that is none */
export const decodeDatagram = (bytes: Uint8Array): Datagram => {
  const { value, length } = decode(datagramHeader, bytes)
  return { ...value, data: bytes.subarray(length) }
}

/** Writes a whole datagram. @throws {SocksError} for a header that cannot be written */
export const encodeDatagram = ({ data, ...header }: Datagram): Uint8Array<ArrayBuffer> => {
  const head = datagramHeader.encode(header)
  const bytes = new Uint8Array(head.length + data.length)
  bytes.set(head)
  bytes.set(data, head.length)
  return bytes
}

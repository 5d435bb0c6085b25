import { fragment } from '@it-socks/command'
import {
  MalformedError,
  TooLongError,
  decodeDatagram,
  encodeDatagram,
  type Address,
  type Datagram
} from '@it-socks/protocol'

/** What UDP over IPv4 carries at most. */
const most = 65_507

/**
 * The datagrams that carry data to the relay, encoded: one, or its fragments.
 *
 * @throws {TooLongError} where one has no room in UDP, or there are too many
 */
export const datagramsFor = (data: Uint8Array, destination: Address, fragmentSize: number | undefined): Uint8Array[] =>
  (fragmentSize === undefined ? [{ fragment: 0, data }] : fragment(data, fragmentSize)).map((part) => {
    const bytes = encodeDatagram({ ...part, destination })
    if (bytes.length > most) throw new TooLongError('the datagram with its header', bytes.length, most)
    return bytes
  })

/** What the relay sent, where it can be read. */
export const readDatagram = (bytes: Uint8Array): Datagram | undefined => {
  try {
    return decodeDatagram(bytes)
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

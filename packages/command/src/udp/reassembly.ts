import { ConfigurationError, type Address, type Datagram } from '@it-socks/protocol'
import { after } from '@it-socks/stage'

export interface ReassembleOptions {
  /**
   * How long the fragments of a datagram may take, in milliseconds, from the first of them. At least, and by default, the
   * 5,000 of RFC 1928 section 7.
   */
  reassemblyTimeout?: number
  /** How many bytes of data fragments may come to; more are abandoned. Default: 65,507, the most that UDP carries. */
  reassemblyLimit?: number
}

/** A reassembly queue and its timer. */
export interface Reassembly {
  /**
   * Takes a datagram as it comes. Returns one that is whole: itself where it stands alone, or what its fragments make, with
   * a FRAG of 0.
   */
  readonly take: (datagram: Datagram) => Datagram | undefined
  /** Abandons what is in the queue and stops the timer, which else keeps the process alive. */
  readonly stop: () => void
}

const shortest = 5000
const last = 0x80

/**
 * Puts fragments together again (RFC 1928 section 7). They must come in order: a fragment lower than the highest so far
 * abandons the queue and starts anew, and so does a datagram that stands alone; one that leaves a gap, has another
 * destination or makes the data too long abandons it as well. The highest that comes again, to the byte, is ignored.
 *
 * @param dropped told of how many fragments have become useless, each time that some have
 *
 * @throws {ConfigurationError} for a timeout of less than 5,000 ms
 *
 * @example
 *
 * ```ts
 * import { reassemble } from '@it-socks/command'
 *
 * const destination = { host: '192.0.2.1', port: 53 }
 * const { take } = reassemble(() => {})
 * take({ fragment: 1, destination, data: Uint8Array.of(1, 2) }) // => undefined
 * take({ fragment: 0x82, destination, data: Uint8Array.of(3) })
 * // => { fragment: 0, destination: { host: '192.0.2.1', port: 53 }, data: Uint8Array.of(1, 2, 3) }
 * ```
 */
export const reassemble = (
  dropped: (fragments: number) => void,
  { reassemblyTimeout = shortest, reassemblyLimit = 65_507 }: ReassembleOptions = {}
): Reassembly => {
  if (!(reassemblyTimeout >= shortest)) {
    throw new ConfigurationError(`the reassembly timer is at least ${shortest} ms (RFC 1928 section 7)`)
  }
  let parts: Uint8Array[] = []
  let length = 0
  let destination: Address | undefined
  let stopTimer = (): void => {}

  const clear = (): void => {
    stopTimer()
    parts = []
    length = 0
    destination = undefined
  }
  const abandon = (): void => {
    const { length: abandoned } = parts
    clear()
    if (abandoned > 0) dropped(abandoned)
  }
  const ignore = (): undefined => {
    dropped(1)
  }
  /** A first fragment that only looks like the one before starts the next datagram, of which the rest may come. */
  const isAgain = ({ fragment, destination: to, data }: Datagram): boolean =>
    fragment === parts.length && isSame(destination, to) && isEqual(parts.at(-1)!, data)
  /** Whether the queue goes on with this, the first or the next. */
  const follows = (place: number, to: Address): boolean =>
    place === parts.length + 1 && (destination === undefined || isSame(destination, to))

  return {
    take(datagram) {
      if (datagram.fragment === 0) {
        if (parts.length > 0) abandon()
        return datagram
      }
      const { data } = datagram
      const place = datagram.fragment & ~last
      if (isAgain(datagram)) return ignore()
      if (!follows(place, datagram.destination)) abandon()
      if (!follows(place, datagram.destination) || length + data.length > reassemblyLimit) {
        abandon()
        return ignore()
      }
      if (parts.length === 0) {
        stopTimer = after(reassemblyTimeout, abandon)
        destination = datagram.destination
      }
      parts.push(data)
      length += data.length
      if (datagram.fragment < last) return undefined
      const whole = { fragment: 0, destination: datagram.destination, data: joined(parts, length) }
      clear()
      return whole
    },
    stop: clear
  }
}

const isSame = (one: Address | undefined, other: Address): boolean =>
  one?.host === other.host && one.port === other.port

const isEqual = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index])

const joined = (parts: readonly Uint8Array[], length: number): Uint8Array => {
  const data = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    data.set(part, offset)
    offset += part.length
  }
  return data
}

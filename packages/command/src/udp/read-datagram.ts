import { MalformedError, decodeDatagram, type Datagram } from '@it-socks/protocol'

/**
 * Reads the datagrams of one client; `undefined` for what is none. Most have the header of the one before, byte by byte,
 * and that one is not decoded again.
 */
export const datagramReader = (): ((bytes: Uint8Array) => Datagram | undefined) => {
  let header = new Uint8Array()
  let last: Datagram | undefined
  return (bytes) => {
    if (last !== undefined && startsWith(bytes, header)) {
      return { fragment: last.fragment, destination: last.destination, data: bytes.subarray(header.length) }
    }
    try {
      const datagram = decodeDatagram(bytes)
      header = bytes.slice(0, bytes.length - datagram.data.length)
      last = { ...datagram, data: new Uint8Array() }
      return datagram
    } catch (error) {
      if (error instanceof MalformedError) return undefined
      throw error
    }
  }
}

const startsWith = (bytes: Uint8Array, start: Uint8Array): boolean => {
  if (bytes.length < start.length) return false
  for (let index = 0; index < start.length; index++) if (bytes[index] !== start[index]) return false
  return true
}

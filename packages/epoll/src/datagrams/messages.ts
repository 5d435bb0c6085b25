import { allocate, socketAddress, type SocketAddress } from '@it-socks/syscall'

/**
 * Memory for so many datagrams as recvmmsg(2) and sendmmsg(2) have them: each has room for an address, and a part of one
 * memory.
 *
 *     struct mmsghdr   name 8 | its length 4, and 4 unused | iovec 8 | how many 8 | control 8 | its length 8 | flags 4,
 *                      and 4 unused | the datagram's length 4, and 4 unused
 *     struct iovec     where 8 | length 8
 */
export interface Messages {
  /** Where message number `index` is. */
  readonly at: (index: number) => number
  readonly addresses: readonly SocketAddress[]
  /** Where the data of each is, in `bytes`. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly address: number
  /** Says where data is, counted from the start of `bytes`, and how long it is and its address. */
  readonly describe: (index: number, offset: number, length: number, addressLength: number) => void
  /** How long the datagram is that came. */
  readonly length: (index: number) => number
  readonly flags: (index: number) => number
}

const little = true
const headerSize = 64
const vectorSize = 16
const flagsAt = 48
const lengthAt = 56

export const messages = (count: number, size: number): Messages => {
  const headers = allocate(count * headerSize)
  const vectors = allocate(count * vectorSize)
  const data = allocate(size)
  const addresses = Array.from({ length: count }, () => socketAddress())
  for (let index = 0; index < count; index++) {
    const at = index * headerSize
    headers.view.setBigUint64(at, BigInt(addresses[index]!.address), little)
    headers.view.setBigUint64(at + 16, BigInt(vectors.address + index * vectorSize), little)
    headers.view.setUint32(at + 24, 1, little)
  }
  // Addresses have fewer than 53 bits: as two words they are written without a BigInt each.
  const put = (at: number, value: number): void => {
    vectors.view.setUint32(at, value >>> 0, little)
    vectors.view.setUint32(at + 4, Math.floor(value / 2 ** 32), little)
  }
  return {
    at: (index) => headers.address + index * headerSize,
    addresses,
    bytes: data.bytes,
    address: data.address,
    describe(index, offset, length, addressLength) {
      headers.view.setUint32(index * headerSize + 8, addressLength, little)
      put(index * vectorSize, data.address + offset)
      vectors.view.setUint32(index * vectorSize + 8, length, little)
    },
    length: (index) => headers.view.getUint32(index * headerSize + lengthAt, little),
    flags: (index) => headers.view.getUint32(index * headerSize + flagsAt, little)
  }
}

import type { Address } from '@it-socks/protocol'
import { EAGAIN, EINTR, MSG_TRUNC, recvmmsg } from '@it-socks/syscall'
import { readAddress } from '../address.ts'
import { uncaught } from '../uncaught.ts'
import { messages, type Messages } from './messages.ts'

/** So many are received by one call. The pages of the others' memory are touched by none but long datagrams. */
const atOnce = 32
/** No datagram is longer. */
const room = 64 * 1024
/** More than any address takes. */
const addressRoom = 28

let shared: Messages | undefined

/** Made when the first is received, for all sockets of the thread. */
const incoming = (): Messages => {
  if (shared === undefined) {
    shared = messages(atOnce, atOnce * room)
    for (let index = 0; index < atOnce; index++) shared.describe(index, index * room, room, addressRoom)
  }
  return shared
}

/** Whether more may have come, all that came has been handed over, or a negative errno. */
export type Receipt = 'more' | 'all' | number

/** Hands over the datagrams that one call receives, each its own, for as long as `wanted`. */
export const receive = (
  fd: number,
  hand: (data: Uint8Array, from: Address) => void,
  wanted: () => boolean
): Receipt => {
  const { at, addresses, bytes, length, flags, describe } = incoming()
  const count = recvmmsg(fd, at(0), atOnce, 0)
  if (count === -EAGAIN) return 'all'
  if (count === -EINTR) return 'more'
  if (count < 0) return count
  for (let index = 0; index < count && wanted(); index++) {
    const start = index * room
    const from = readAddress(addresses[index])
    const whole = (flags(index) & MSG_TRUNC) === 0
    // The kernel has written how long the address is: the next one may be longer.
    describe(index, start, room, addressRoom)
    if (!whole || from === undefined) continue
    try {
      hand(Buffer.from(bytes.subarray(start, start + length(index))), from)
    } catch (error) {
      uncaught(error)
    }
  }
  return count < atOnce ? 'all' : 'more'
}

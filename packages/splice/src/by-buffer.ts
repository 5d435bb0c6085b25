import { MSG_DONTWAIT, MSG_NOSIGNAL, recv, send, type Memory } from '@it-socks/syscall'
import { buffer, bufferSize, allocateAside, putAside, readSize, takeBack } from './buffer.ts'
import type { Side } from './side.ts'

/** Reads into the buffer, and sends from there. Returns how much came. */
export const carry = (side: Side): number => {
  const size = readSize()
  const came = recv(side.fd, buffer.address, size, MSG_DONTWAIT)
  if (came <= 0) return side.came(came, 'recv')
  if (came < size && !side.thorough) side.readable = false
  side.weigh(came, came === size)
  side.relay.flow.passed(side.direction, came)
  // Whoever counts may end it.
  if (!side.relay.over) hand(side, came)
  return came
}

/** Delivers first what was read before there was a relay. */
export const deliverAhead = (side: Side, chunks: readonly Uint8Array[]): void => {
  let length = 0
  for (const chunk of chunks) length += chunk.byteLength
  if (length === 0) return
  const block = length > bufferSize ? allocateAside(length) : buffer
  let at = 0
  for (const chunk of chunks) {
    block.bytes.set(chunk, at)
    at += chunk.byteLength
  }
  side.relay.flow.passed(side.direction, length)
  if (side.relay.over) return
  if (block === buffer) hand(side, length)
  else wait(side, block)
}

/** Writes what was read before and waits. Returns whether it does not wait any more. */
export const deliverWaiting = (side: Side): boolean => {
  const { peer } = side
  while (side.waiting !== undefined) {
    if (!peer.writable) return false
    const length = side.to - side.from
    const sent = send(peer.fd, side.waiting.address + side.from, length, MSG_DONTWAIT | MSG_NOSIGNAL)
    if (sent === length) forgetWaiting(side)
    else if (sent >= 0) {
      side.from += sent
      peer.writable = false
    } else if (!peer.refused(sent, 'send')) return false
  }
  return true
}

export const forgetWaiting = (side: Side): void => {
  if (side.waiting === undefined) return
  takeBack(side.waiting)
  side.waiting = undefined
}

/** Sends so much of the buffer; what the kernel does not take now is put aside. */
const hand = (side: Side, length: number): void => {
  const { peer } = side
  let sent = 0
  if (peer.writable) {
    do sent = send(peer.fd, buffer.address, length, MSG_DONTWAIT | MSG_NOSIGNAL)
    while (sent < 0 && peer.refused(sent, 'send'))
    if (sent < 0) {
      if (side.relay.over) return
      sent = 0
    }
  }
  if (sent === length) return
  peer.writable = false
  wait(side, putAside(sent, length))
}

const wait = (side: Side, block: Memory): void => {
  side.waiting = block
  side.from = 0
  side.to = block.bytes.length
}

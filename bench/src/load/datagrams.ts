import { allocate, EAGAIN, MSG_DONTWAIT, MSG_NOSIGNAL, recv, recvmmsg, send, sendmmsg } from '@it-socks/syscall'
import { matches, patternBytes } from './pattern.ts'
import type { Party, Poller } from './poller.ts'
import { connectDatagrams, datagramSocket, wouldBlock } from './socket.ts'

/** Received and sent in one call by the target. */
const batch = 64
const room = 2048

/**
 *     struct mmsghdr   name 8 bytes (address) | its length 8 | iovec 8 (address) | how many 8 | control 8 | its length 8
 *                      | flags 8 | bytes received 8
 *     struct iovec     8 (address) | length 8
 *     name             16
 */
const headerSize = 64
const vectorsAt = batch * headerSize
const namesAt = vectorsAt + batch * 16
const roomsAt = namesAt + batch * 16
// In one piece: what only the kernel points to would be collected.
const area = allocate(roomsAt + batch * room)
const little = true

const put = (at: number, value: number): void => {
  area.view.setBigUint64(at, BigInt(value), little)
}

for (let index = 0; index < batch; index++) {
  put(index * headerSize, area.address + namesAt + index * 16)
  put(index * headerSize + 16, area.address + vectorsAt + index * 16)
  put(index * headerSize + 24, 1)
  put(vectorsAt + index * 16, area.address + roomsAt + index * room)
}

/** The target's side: every datagram goes back to where it came from. Returns its port. */
export const datagramEcho = (poller: Poller): number => {
  const { fd, port } = datagramSocket()
  poller.watch({
    fd,
    ready() {
      for (;;) {
        for (let index = 0; index < batch; index++) {
          area.view.setUint32(index * headerSize + 8, 16, little)
          area.view.setUint32(vectorsAt + index * 16 + 8, room, little)
        }
        const count = recvmmsg(fd, area.address, batch, MSG_DONTWAIT)
        if (wouldBlock(count, 'recvmmsg')) return
        for (let index = 0; index < count; index++) {
          const length = area.view.getUint32(index * headerSize + 56, little)
          area.view.setUint32(vectorsAt + index * 16 + 8, length, little)
        }
        const sent = sendmmsg(fd, area.address, count, MSG_DONTWAIT | MSG_NOSIGNAL)
        if (sent !== -EAGAIN && sent < 0) wouldBlock(sent, 'sendmmsg')
      }
    }
  })
  return port
}

/** RSV, FRAG, ATYP, DST.ADDR and DST.PORT for IPv4; then, as our own, a number. */
const header = 10
const overhead = header + 4
const received = allocate(room)
const receivedBytes = Buffer.from(received.bytes.buffer)
const toSend = allocate(room)
toSend.bytes.set([0, 0, 0, 1, 127, 0, 0, 1])

/** What a stream of datagrams is told, and asked. */
export interface DatagramCounter {
  /** Whether one more may be sent. */
  readonly take: () => boolean
  readonly arrived: () => void
}

/** The client's side of an association: keeps so many datagrams under way. */
export class DatagramPinger implements Party {
  readonly fd: number
  /** Where it sends from. */
  readonly port: number
  readonly #length: number
  readonly #window: number
  readonly #counter: DatagramCounter
  #target = 0
  #next = 0
  /** Those under way, by number: one that arrives twice is a mistake, and a late one is not. */
  readonly #underWay = new Set<number>()

  constructor(length: number, window: number, counter: DatagramCounter) {
    const { fd, port } = datagramSocket()
    this.fd = fd
    this.port = port
    this.#length = length
    this.#window = window
    this.#counter = counter
  }

  /** From here on it sends to the target by way of this relay. */
  aim(relay: number, target: number): void {
    connectDatagrams(this.fd, relay)
    this.#target = target
  }

  /** Sends as many as may be under way. */
  fill(): void {
    toSend.view.setUint16(8, this.#target)
    while (this.#underWay.size < this.#window && this.#counter.take()) {
      const number = this.#next++
      toSend.view.setUint32(header, number)
      toSend.bytes.set(patternBytes(number * 97, this.#length - 4), overhead)
      this.#underWay.add(number)
      const sent = send(this.fd, toSend.address, header + this.#length, MSG_NOSIGNAL)
      if (wouldBlock(sent, 'send')) return
    }
  }

  /** Gives up those under way; returns how many. */
  giveUp(): number {
    const lost = this.#underWay.size
    this.#underWay.clear()
    return lost
  }

  ready(): void {
    for (;;) {
      const got = recv(this.fd, received.address, room, 0)
      if (wouldBlock(got, 'recv')) break
      const number = received.view.getUint32(header)
      const { view } = received
      const isOurs = got === header + this.#length && view.getUint32(0) === 1 && view.getUint16(8) === this.#target
      if (!isOurs || !matches(receivedBytes, overhead, got - overhead, number * 97)) {
        throw new Error('a datagram differs')
      }
      if (this.#underWay.delete(number)) this.#counter.arrived()
    }
    this.fill()
  }
}
